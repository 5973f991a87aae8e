// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { type RunOptions, runVerifier } from './testing/run-verifier.ts';
import type { BuiltBundle } from './testing/seal.ts';
import { buildPair, buildStandard } from './testing/standard-bundle.ts';

async function claimsOf(bundle: BuiltBundle, options: RunOptions = {}): Promise<Record<string, string>> {
  const report = await runVerifier(bundle, options);
  return Object.fromEntries(report.claims.map(({ id, status, code }) => [id, code ?? status]));
}

const PASSED = {
  integrity: 'PASS',
  order: 'PASS',
  completeness: 'PASS',
  authorship: 'PASS',
  policy: 'PASS',
  reconciliation: 'PASS',
  coverage: 'PASS',
  reperformance: 'CLY_REPERFORMANCE_ABSENT',
  time: 'CLY_TIME_ABSENT',
  witness: 'CLY_WITNESS_ABSENT',
  disclosure: 'CLY_DISCLOSURE_ABSENT',
};

describe('a sound bundle', () => {
  it('passes every claim that it can make by itself', async () => {
    expect(await claimsOf(buildStandard())).toEqual(PASSED);
  });

  it('passes so when it continues another', async () => {
    const { first, second } = buildPair();
    const previous = first.files.get('checkpoint') as Buffer;
    expect(await claimsOf(second, { previous })).toEqual(PASSED);
  });

  it('passes so in head mode', async () => {
    expect(await claimsOf(buildStandard(), { mode: 'head' })).toEqual(PASSED);
  });

  it('is nobody’s without a trust root', async () => {
    const claims = await claimsOf(buildStandard(), { trustRoot: null });
    expect(claims).toEqual({ ...PASSED, authorship: 'CLY_TRUST_ROOT_ABSENT' });
  });
});
