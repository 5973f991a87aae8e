// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { ENGINE_1 } from '@clyra/core/enforcement/limits';
import { BUNDLE_FORMAT } from '@clyra/core/evidence/manifest';

export async function versionText(): Promise<string> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  return `clyra ${version} (${BUNDLE_FORMAT}, engine ${ENGINE_1}, Node.js ${process.versions.node})`;
}
