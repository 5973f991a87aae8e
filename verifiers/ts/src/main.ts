#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { type CommandLine, readArguments } from './arguments.ts';
import { formatReport } from './format-report.ts';
import { encodeReport } from './report-json.ts';
import { verifyBundle } from './verify-bundle.ts';

const read = readArguments(process.argv.slice(2));
if (typeof read === 'string') {
  process.stderr.write(`${read}\n`);
  process.exitCode = 5;
} else if (read.options === null) {
  // What reads lines of standard input takes time and memory, and one bundle needs none of it.
  const { runBatch } = await import('./batch.ts');
  await runBatch(process.stdin, process.stdout);
} else {
  process.exitCode = await verifyOne(read.options, read.json);
}

async function verifyOne(options: NonNullable<CommandLine['options']>, json: boolean): Promise<number> {
  const report = await verifyBundle(options);
  process.stdout.write(json ? `${encodeReport(report)}\n` : formatReport(report));
  return report.exitCode;
}
