// SPDX-License-Identifier: Apache-2.0

import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import type { LocalLayout } from './layout.ts';

/** What `up` chose and later commands need: where things listen. No secret is in it. */
export type LocalSettings = {
  readonly format: 'clyra/local-settings/v0';
  /** What --port-base was, so that the next `up` needs no option; null for the default ports. */
  readonly port_base: number | null;
  readonly topic_prefix: string;
  readonly kafka_brokers: readonly string[];
  readonly registry_url: string;
  /** Where intake answers people: commands, runs, changes. */
  readonly intake_url: string;
  /** Where changes go in. */
  readonly gateway_url: string;
  /** `name=http://host:port`: the only places that a policy can send changes to. */
  readonly upstreams: readonly string[];
  readonly service_ports: Readonly<Record<string, number>>;
  readonly postgres: { readonly host: string; readonly port: number };
};

export async function readSettings(layout: LocalLayout): Promise<LocalSettings | undefined> {
  const bytes = await readIfThere(layout.settingsFile);
  return bytes === undefined ? undefined : (JSON.parse(bytes.toString('utf8')) as LocalSettings);
}

export async function writeSettings(layout: LocalLayout, settings: LocalSettings): Promise<void> {
  await writeWhole(layout.settingsFile, `${JSON.stringify(settings, undefined, 2)}\n`);
}
