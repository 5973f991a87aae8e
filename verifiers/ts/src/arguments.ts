// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import type { VerifyOptions } from './verify-bundle.ts';

const USAGE =
  'usage: verify [--trust-root F] [--policy P] [--mode head|full] [--previous CHECKPOINT] [--disclosures D] [--json] BUNDLE\n' +
  '       verify --batch   (reads one JSON list of such arguments a line, writes one verdict a line)';

export interface CommandLine {
  /** Null: batch mode. */
  readonly options: VerifyOptions | null;
  readonly json: boolean;
}

/** Options of the command line, or why they are none. */
export function readArguments(args: readonly string[]): CommandLine | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'trust-root': { type: 'string' },
        policy: { type: 'string' },
        mode: { type: 'string', default: 'full' },
        previous: { type: 'string' },
        disclosures: { type: 'string' },
        json: { type: 'boolean', default: false },
        batch: { type: 'boolean', default: false },
      },
    });
    // `verify` may stand first, so that the contract's line works as written.
    const [directory, ...rest] = positionals[0] === 'verify' ? positionals.slice(1) : positionals;
    if (values.batch && directory === undefined) {
      return { options: null, json: true };
    }
    const { mode } = values;
    if (directory === undefined || rest.length > 0 || (mode !== 'head' && mode !== 'full')) {
      return USAGE;
    }
    const options: VerifyOptions = {
      directory,
      mode,
      ...(values['trust-root'] === undefined ? {} : { trustRootFile: values['trust-root'] }),
      ...(values.policy === undefined ? {} : { policyFile: values.policy }),
      ...(values.previous === undefined ? {} : { previousFile: values.previous }),
      ...(values.disclosures === undefined ? {} : { disclosuresFile: values.disclosures }),
    };
    return { options, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n${USAGE}`;
  }
}
