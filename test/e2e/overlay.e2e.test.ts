// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freeBase } from './free-base.ts';
import { type Ended, REPOSITORY, runClyra } from './run-clyra.ts';

const RUN_MS = 170_000;
const PORT_COUNT = 24;
const OVERLAY = join(REPOSITORY, 'packs/policies/genai_risk.overlay.yaml');

type Result = {
  readonly verdict: string;
  readonly good: boolean;
  readonly rules: readonly {
    readonly rule: string;
    readonly code: string;
    readonly receipt: string;
    readonly fired: boolean;
  }[];
};

let folder: string;
let ended: Ended;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-e2e-overlay-'));
  await chmod(folder, 0o755);
  const args = [
    '--data-dir',
    folder,
    '--json',
    'quickstart',
    '--port-base',
    String(await freeBase(PORT_COUNT)),
    '--overlay',
    OVERLAY,
  ];
  ended = await runClyra(args, RUN_MS);
}, RUN_MS);

afterAll(async () => {
  await runClyra(['--data-dir', folder, 'down', '--wipe'], 60_000);
  await rm(folder, { recursive: true, force: true });
}, 90_000);

describe('the risk overlay of the requirements, unchanged, on the real stack', () => {
  it('answers with each of its rules once, each with its receipt, in a bundle that verifies', () => {
    const said = ended.code === 0 ? '' : ended.stdout + ended.stderr;
    expect({ code: ended.code, said }).toEqual({ code: 0, said: '' });
    const { rules, verdict, good } = JSON.parse(ended.stdout) as Result;
    process.stdout.write(
      `\n${rules.map(({ rule, code, receipt }) => `  ${rule}: ${code}, receipt ${receipt}`).join('\n')}\n`,
    );
    expect(rules.map(({ rule, code }) => [rule, code])).toEqual([
      ['idempotency /refunds/*', 'CLY_IDEMPOTENCY_REPEAT'],
      ['idempotency /limits/*', 'CLY_IDEMPOTENCY_REPEAT'],
      ['rate_limits /refunds/*, max_actions', 'CLY_VELOCITY_EXCEEDED'],
      ['rate_limits /refunds/*, max_amount_cents', 'CLY_VELOCITY_AMOUNT_EXCEEDED'],
      ['tenant_fences, cross_check', 'CLY_FENCE_TENANT'],
      ['tenant_fences, required_headers', 'CLY_FENCE_HEADER'],
      ['kill_switch, error_rate', 'CLY_KILL_SWITCH_TRIPPED'],
    ]);
    expect(new Set(rules.map(({ receipt }) => receipt)).size).toBe(rules.length);
    expect(rules.every(({ receipt, fired }) => fired && /^[0-9a-f]{32,64}$/.test(receipt))).toBe(true);
    expect({ verdict, good }).toEqual({ verdict: 'valid', good: true });
  });
});
