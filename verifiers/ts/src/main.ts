#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { parseArgs } from 'node:util';
import { formatReport } from './format-report.ts';
import { encodeReport } from './report-json.ts';
import { type VerifyOptions, verifyBundle } from './verify-bundle.ts';

const USAGE = 'verify [--trust-root F] [--policy P] [--mode head|full] [--previous CHECKPOINT] [--json] BUNDLE';

/** Options of the command line, or why they are none. */
function readArguments(args: readonly string[]): { options: VerifyOptions; json: boolean } | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        'trust-root': { type: 'string' },
        policy: { type: 'string' },
        mode: { type: 'string', default: 'full' },
        previous: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    });
    // `verify` may stand first, so that the contract's line works as written.
    const [directory, ...rest] = positionals[0] === 'verify' ? positionals.slice(1) : positionals;
    const { mode } = values;
    if (directory === undefined || rest.length > 0 || (mode !== 'head' && mode !== 'full')) {
      return `usage: ${USAGE}`;
    }
    const options: VerifyOptions = {
      directory,
      mode,
      ...(values['trust-root'] === undefined ? {} : { trustRootFile: values['trust-root'] }),
      ...(values.policy === undefined ? {} : { policyFile: values.policy }),
      ...(values.previous === undefined ? {} : { previousFile: values.previous }),
    };
    return { options, json: values.json };
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\nusage: ${USAGE}`;
  }
}

const read = readArguments(process.argv.slice(2));
if (typeof read === 'string') {
  process.stderr.write(`${read}\n`);
  process.exitCode = 2;
} else {
  const report = await verifyBundle(read.options);
  process.stdout.write(read.json ? `${encodeReport(report)}\n` : formatReport(report));
  process.exitCode = report.exitCode;
}
