// SPDX-License-Identifier: Apache-2.0
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { formatReport } from './format-report.ts';
import type { VerifyReport } from './report/verify-report.ts';
import { encodeReport } from './report-json.ts';
import { runVerifier } from './testing/run-verifier.ts';
import { writeBundle } from './testing/seal.ts';
import { buildPair, buildStandard } from './testing/standard-bundle.ts';
import { verifyBundle } from './verify-bundle.ts';

const WEAKER =
  '{"format":"clyra/verification-policy/v0","name":"quickstart","require":["integrity","order","completeness"]}';
/** A prime, so that the flips wander through all bits of a byte. */
const FLIP_STRIDE_BITS = 311;

describe('a good bundle', () => {
  for (const mode of ['head', 'full'] as const) {
    it(`holds in mode ${mode}, but for time and witness`, async () => {
      const report = await runVerifier(buildStandard(), { mode });
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
      expect(report).toMatchObject({ exitCode: 4, verdict: 'policy_not_met', policy: { name: 'default' } });
    });
  }

  it('is valid under a policy that asks for less', async () => {
    const report = await runVerifier(buildStandard(), { policy: WEAKER });
    expect(report).toMatchObject({ exitCode: 0, verdict: 'valid', policy: { name: 'quickstart' } });
  });

  it('leaves authorship absent without a trust root', async () => {
    const report = await runVerifier(buildStandard(), { trustRoot: null, policy: WEAKER });
    expect(statuses(report)).toMatchObject({ integrity: 'PASS', authorship: 'ABSENT' });
    expect(report.claims.slice(-3).map((claim) => claim.code)).toEqual([
      'CLY_REPERFORMANCE_ABSENT',
      'CLY_TIME_ABSENT',
      'CLY_WITNESS_ABSENT',
    ]);
    expect(report.claims.find((claim) => claim.id === 'authorship')?.code).toBe('CLY_TRUST_ROOT_ABSENT');
    expect(report.exitCode).toBe(0);
  });

  it('continues the one before it', async () => {
    const { first, second } = buildPair();
    const report = await runVerifier(second, { previous: first.files.get('checkpoint') as Buffer });
    expect(report.failures).toEqual([]);
    expect(report.findings?.counts).toMatchObject({ reused: 1, matched: 0 });
  });
});

describe('the report', () => {
  it('lists findings with observation and leaf, what is not proved, and ends with the verdict', async () => {
    const report = await runVerifier(buildStandard());
    const text = formatReport(report);
    const [finding] = report.findings?.listed ?? [];
    expect(finding).toMatchObject({ status: 'unattributed', leaf: 7, line: 12 });
    expect(text).toContain(`observation ${finding?.observationId}, leaf 7, line 12`);
    expect(text).toContain('What this does not prove');
    expect(text).toContain(`Trust root ${report.trustRoot?.digest}`);
    expect(text.trimEnd().split('\n').at(-1)).toMatch(/^POLICY NOT MET \(exit 4\)/);
  });

  it('is snake_case as JSON', async () => {
    const json = JSON.parse(encodeReport(await runVerifier(buildStandard())));
    expect(json).toMatchObject({
      exit_code: 4,
      trust_root: { version: 1 },
      findings: { counts: { claimed_unproved: 0 } },
    });
  });

  it('shows no control characters of the bundle', async () => {
    const report = await runVerifier(buildStandard(), { bend: () => undefined });
    const text = formatReport({ ...report, reason: 'a\u001b[2J\nVALID (exit 0)' });
    expect(text).not.toContain('\u001b');
    expect(text).not.toContain('\nVALID');
  });
});

describe('damage', () => {
  it('of one bit is found wherever it stands, and its file is named', async () => {
    const bundle = buildStandard();
    const { root, directory, trustRootFile } = writeBundle(bundle);
    const silent: string[] = [];
    let flips = 0;
    for (const [name, bytes] of bundle.files) {
      const file = openSync(join(directory, name), 'r+');
      const bits = name === 'VERIFY.md' ? 0 : bytes.length * 8;
      for (let bit = flips % FLIP_STRIDE_BITS; bit < bits; bit += FLIP_STRIDE_BITS) {
        const at = bit >> 3;
        const byte = bytes[at] as number;
        writeSync(file, Buffer.of(byte ^ (1 << (bit & 7))), 0, 1, at);
        const report = await verifyBundle({ directory, trustRootFile, mode: 'full' });
        writeSync(file, Buffer.of(byte), 0, 1, at);
        flips += 1;
        if (![1, 2].includes(report.exitCode) || !report.failures.some((failure) => failure.location?.file === name)) {
          silent.push(`${name} byte ${at}: exit ${report.exitCode}`);
        }
      }
      closeSync(file);
    }
    rmSync(root, { recursive: true });
    expect(silent).toEqual([]);
    expect(flips).toBeGreaterThan(400);
  });

  it.each([
    ['a matched line', 10, '"reason"', 'CLY_RECONCILE_LINE'],
    ['a signed body', 6, 'decided_at', 'CLY_SIG_INVALID'],
    ['an unsigned body', 5, '"effect"', 'CLY_CHAIN_LINK'],
    ['a change', 3, 'intake_at', 'CLY_LINE_BINDING'],
    ['a signature block', 4, '"sig":"', 'CLY_SIG_INVALID'],
    ['an append time', 5, 'append_time', 'CLY_BUNDLE_SEGMENT'],
  ])('of %s is placed on its line', async (_name, index, before, code) => {
    const bundle = buildStandard();
    const lines = (bundle.files.get('journal.jsonl') as Buffer).toString('latin1').split('\n');
    const line = lines[index] as string;
    const at = line.indexOf(before) + before.length + 5;
    const other = /[0-9]/.test(line[at] as string)
      ? ((Number(line[at]) + 1) % 10).toString()
      : flipCase(line[at] as string);
    lines[index] = line.slice(0, at) + other + line.slice(at + 1);
    bundle.files.set('journal.jsonl', Buffer.from(lines.join('\n'), 'latin1'));
    const report = await runVerifier(bundle);
    expect(report.exitCode).toBe(1);
    expect(report.failures).toContainEqual(expect.objectContaining({ code }));
    const segment = report.failures.find((failure) => failure.code === 'CLY_BUNDLE_SEGMENT');
    expect(segment?.location).toEqual({ file: 'journal.jsonl', line: index + 1 });
  });
});

/** Another letter of the same grammar. */
function flipCase(letter: string): string {
  return letter === 'a' ? 'b' : 'a';
}

function statuses(report: VerifyReport): Record<string, string> {
  return Object.fromEntries(report.claims.map((claim) => [claim.id, claim.status]));
}
