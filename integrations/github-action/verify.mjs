// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** The verifier of this very version: whoever uses the action by a tag has its repository at that tag beside it. */
const OWN = [process.execPath, fileURLToPath(new URL('../../verifiers/ts/src/main.ts', import.meta.url))];
const OUTPUT_BYTES_MAX = 16_777_216;
const DEADLINE_MS = 30 * 60_000;

/**
 * What the verifiers say of one bundle: the report of this repository's own, or `disagreement` where another one ends
 * with another code or another status of a claim.
 */
export async function judge(bundle, { trustRoot, policy, mode, others }) {
  const args = ['verify', '--json', '--mode', mode];
  if (trustRoot !== undefined) args.push('--trust-root', trustRoot);
  if (policy !== undefined) args.push('--policy', policy);
  const report = await run(OWN, [...args, bundle]);
  const agreeing = [nameOf(report)];
  for (const command of others) {
    const other = await run([command], [...args, bundle]);
    if (essence(other) !== essence(report))
      return { verdict: 'disagreement', report, verifiers: agreeing, against: command };
    agreeing.push(nameOf(other));
  }
  return { verdict: report.verdict ?? 'io_error', report, verifiers: agreeing };
}

const nameOf = ({ verifier }) => `${verifier?.name ?? 'unknown'} ${verifier?.version ?? ''}`.trim();

function essence({ exit_code: exitCode, claims = [] }) {
  return JSON.stringify([exitCode, claims.map(({ id, status, code }) => [id, status, code])]);
}

/** A verifier that says nothing readable has not verified anything. */
async function run([command, ...before], args) {
  const child = spawn(command, [...before, ...args], { stdio: ['ignore', 'pipe', 'inherit'], timeout: DEADLINE_MS });
  const chunks = [];
  let size = 0;
  child.stdout.on('data', (chunk) => {
    size += chunk.length;
    if (size <= OUTPUT_BYTES_MAX) chunks.push(chunk);
  });
  const code = await new Promise((settle) => {
    child.on('error', () => settle(null));
    child.on('close', settle);
  });
  try {
    const report = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    // The exit code is the contract; a text that says something else than it is not believed.
    const isValid = code === 0 && report.exit_code === 0 && report.verdict === 'valid';
    return isValid || report.verdict !== 'valid' ? report : { ...report, verdict: 'io_error', exit_code: code };
  } catch {
    return { verdict: 'io_error', exit_code: code, claims: [] };
  }
}
