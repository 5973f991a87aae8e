// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatReport } from './format-report.ts';
import type { VerifyReport } from './report/verify-report.ts';
import { type BuiltBundle, writeBundle } from './testing/seal.ts';
import { buildPair, buildStandard } from './testing/standard-bundle.ts';
import { type VerifyOptions, verifyBundle } from './verify-bundle.ts';

describe('a good bundle', () => {
  for (const mode of ['head', 'full'] as const) {
    it(`holds in mode ${mode} but for time and witness`, async () => {
      const report = await verify(buildStandard(), { mode });
      expect(report.failures).toEqual([]);
      expect(statuses(report)).toEqual({
        integrity: 'PASS',
        order: 'PASS',
        completeness: 'PASS',
        authorship: 'PASS',
        policy: 'PASS',
        reconciliation: 'PASS',
        reperformance: 'ABSENT',
        time: 'ABSENT',
        witness: 'ABSENT',
      });
      expect(report).toMatchObject({ exitCode: 4, verdict: 'policy_not_met' });
    });
  }

  it('continues the one before it', async () => {
    const { first, second } = buildPair();
    const report = await verify(second, { previous: first });
    expect(report.failures).toEqual([]);
    expect(report.findings?.counts).toMatchObject({ reused: 1 });
    expect(formatReport(report)).toContain('reused (token_used)');
  });
});

async function verify(
  bundle: BuiltBundle,
  options: { mode?: VerifyOptions['mode']; previous?: BuiltBundle } = {},
): Promise<VerifyReport> {
  const { root, directory, trustRootFile } = writeBundle(bundle);
  try {
    const previousFile = join(root, 'previous');
    writeFileSync(previousFile, options.previous?.files.get('checkpoint') ?? '');
    return await verifyBundle({
      directory,
      trustRootFile,
      mode: options.mode ?? 'full',
      ...(options.previous === undefined ? {} : { previousFile }),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function statuses(report: VerifyReport): Record<string, string> {
  return Object.fromEntries(report.claims.map((claim) => [claim.id, claim.status]));
}
