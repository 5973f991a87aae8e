#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
import { type CommandLine, readArguments } from './arguments.ts';
import { formatReport } from './format-report.ts';
import { encodeReport } from './report-json.ts';
import { verifyBundle } from './verify-bundle.ts';

let isAnswerLost = false;
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', ({ code }: { readonly code?: string }) => {
    // Who reads no further (`| head`) has seen enough: the verdict stands all the same.
    if (code !== 'EPIPE') {
      isAnswerLost = true;
    }
  });
}
process.on('exit', (code) => {
  if (isAnswerLost && code === 0) {
    process.exitCode = 5;
  }
});

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
