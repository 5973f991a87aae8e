// SPDX-License-Identifier: Apache-2.0
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Where the gate runs, and the environment its commands get. */
export type GateConfig = {
  readonly root: string;
  readonly bin: string;
  /** Jest's result files go here, one a tier. */
  readonly resultsFolder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

export function loadGateConfig(): GateConfig {
  const root = join(import.meta.dirname, '../../..');
  const bin = join(root, 'node_modules/.bin');
  return {
    root,
    bin,
    resultsFolder: mkdtempSync(join(tmpdir(), 'clyra-gate-')),
    env: {
      ...process.env,
      PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`,
      NX_DAEMON: 'false',
      NX_NO_CLOUD: 'true',
    },
  };
}
