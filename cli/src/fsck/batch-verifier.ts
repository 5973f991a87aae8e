// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ClyraError } from '@clyra/core/kernel/error';

export type Claim = readonly [id: string, status: string, code: string | null];
type Verdict = { readonly exit_code: number; readonly claims: readonly Claim[] };

/**
 * Verifies bundles in one process of the verifier, in order: it shares nothing with this program, as `clyra verify`
 * does. Rejects with CLY_CLI_VERIFIER when that process ends without an answer to each.
 */
export async function verifyAll(calls: readonly (readonly string[])[]): Promise<readonly Verdict[]> {
  if (calls.length === 0) return [];
  const main = fileURLToPath(import.meta.resolve('@clyra/verifier/main'));
  const child = spawn(process.execPath, ['--conditions=@clyra/source', main, '--batch'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  child.stdin.on('error', () => undefined);
  child.stdin.end(calls.map((args) => `${JSON.stringify(args)}\n`).join(''));
  const verdicts: Verdict[] = [];
  for await (const line of createInterface({ input: child.stdout })) verdicts.push(JSON.parse(line) as Verdict);
  await closed;
  if (verdicts.length === calls.length) return verdicts;
  throw new ClyraError(
    'CLY_CLI_VERIFIER',
    `the verifier answered ${verdicts.length} of ${calls.length}: run \`clyra verify\` on the next one`,
    {
      retry: 'never',
      context: { answered: verdicts.length, asked: calls.length },
    },
  );
}
