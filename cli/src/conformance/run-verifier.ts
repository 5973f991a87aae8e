// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { ClaimVerdict, Expected } from './suite.ts';

const CASE_DEADLINE_MS = 120_000;
const OUTPUT_BYTES_MAX = 16_777_216;

/** What a verifier said, or why nothing can be made of it. */
export type Answer = Expected | { readonly problem: string };

/** Runs a verifier's command once over the arguments of one case and reads its JSON report. */
export async function runOnce(command: string, args: readonly string[]): Promise<Answer> {
  const child = spawn('sh', ['-c', `exec ${command} "$@"`, 'verifier', '--json', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const deadline = setTimeout(() => child.kill('SIGKILL'), CASE_DEADLINE_MS);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (output.length < OUTPUT_BYTES_MAX) output += chunk;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  clearTimeout(deadline);
  if (code === null) return { problem: `ended by ${signal ?? 'a signal'}` };
  return readReport(output, code);
}

/** One process for all cases: a line of arguments in, a verdict out (verifiers/ts/README.md, batch mode). */
export async function runBatch(command: string, cases: readonly (readonly string[])[]): Promise<readonly Answer[]> {
  const child = spawn('sh', ['-c', `exec ${command} --batch`], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers: Answer[] = [];
  const closed = once(child, 'close');
  child.stdin.on('error', () => undefined);
  child.stdin.end(cases.map((args) => `${JSON.stringify(args)}\n`).join(''));
  for await (const line of createInterface({ input: child.stdout })) answers.push(readLine(line));
  await closed;
  return cases.map((_, index) => answers[index] ?? { problem: 'gave no answer' });
}

function readLine(line: string): Answer {
  const value = parse(line) as Partial<Expected> | undefined;
  if (typeof value?.exit_code !== 'number' || !Array.isArray(value.claims)) return { problem: 'gave no verdict' };
  return { exit_code: value.exit_code, claims: value.claims };
}

function readReport(output: string, exitCode: number): Answer {
  const value = parse(output) as { readonly claims?: unknown } | undefined;
  if (!Array.isArray(value?.claims)) return { problem: `gave no report (exit ${exitCode})` };
  const claims = (value.claims as readonly { id: string; status: string; code: string | null }[]).map(
    ({ id, status, code }): ClaimVerdict => [id, status, code],
  );
  return { exit_code: exitCode, claims };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
