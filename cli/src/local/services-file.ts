// SPDX-License-Identifier: Apache-2.0

import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import { isRunning, type ProcessIdentity } from '@clyra/stack/process/process-identity';
import type { LocalLayout, ServiceName } from './layout.ts';

/** A started service process. The identity holds its start time: a pid alone may be somebody else's by now. */
export type ServiceProcess = {
  readonly name: ServiceName;
  readonly url: string;
  readonly log: string;
  readonly process: ProcessIdentity;
};

type ServicesFile = { readonly format: 'clyra/local-services/v0'; readonly services: readonly ServiceProcess[] };

export async function readServices(layout: LocalLayout): Promise<readonly ServiceProcess[]> {
  const bytes = await readIfThere(layout.servicesFile);
  return bytes === undefined ? [] : (JSON.parse(bytes.toString('utf8')) as ServicesFile).services;
}

export async function writeServices(layout: LocalLayout, services: readonly ServiceProcess[]): Promise<void> {
  const file: ServicesFile = { format: 'clyra/local-services/v0', services };
  await writeWhole(layout.servicesFile, `${JSON.stringify(file, undefined, 2)}\n`);
}

export async function runningServices(layout: LocalLayout): Promise<readonly ServiceProcess[]> {
  return (await readServices(layout)).filter(({ process }) => isRunning(process));
}
