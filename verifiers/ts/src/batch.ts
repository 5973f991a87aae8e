// SPDX-License-Identifier: Apache-2.0
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { readArguments } from './arguments.ts';
import { type VerifyOptions, verifyBundle } from './verify-bundle.ts';

/** For each line, a JSON list of arguments, one verdict: claims as [id, status, code], and the exit code. Ends early where nobody reads. */
export async function runBatch(input: Readable, output: Writable): Promise<void> {
  for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (!output.writable) {
      return;
    }
    if (line !== '') {
      output.write(`${JSON.stringify(await verdictOf(line))}\n`);
    }
  }
}

async function verdictOf(line: string): Promise<object> {
  const options = optionsOf(line);
  if (options === null) {
    return { claims: [], exit_code: 5 };
  }
  const { claims, exitCode } = await verifyBundle(options);
  return { claims: claims.map(({ id, status, code }) => [id, status, code]), exit_code: exitCode };
}

function optionsOf(line: string): VerifyOptions | null {
  try {
    const args: unknown = JSON.parse(line);
    const isList = Array.isArray(args) && args.every((argument) => typeof argument === 'string');
    const read = isList ? readArguments(args) : '';
    return typeof read === 'string' ? null : read.options;
  } catch {
    return null;
  }
}
