// SPDX-License-Identifier: Apache-2.0
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { artifactOf, at, type Case, inFile, OTHER, removeAt, runCase, withKey } from './testing/case.ts';
import type { Edits } from './testing/log-builder.ts';
import type { Loose } from './testing/primitives.ts';
import { type RunOptions, runVerifier } from './testing/run-verifier.ts';
import { buildStandard, LINE, type Pair } from './testing/standard-bundle.ts';

const KEYS: readonly Case[] = [
  { code: 'CLY_TRUST_ROOT_OTHER', claim: 'authorship', exit: 1, edits: { manifest: (m) => (m.trust_root = OTHER) } },
  {
    code: 'CLY_TRUST_ROOT_ORIGIN',
    claim: 'authorship',
    exit: 1,
    edits: { trustRoot: (root) => (root.log_origin = 'else.example') },
  },
  {
    code: 'CLY_TRUST_ROOT_EXPIRED',
    claim: 'authorship',
    exit: 1,
    edits: { trustRoot: (root) => (root.expires_at = 5) },
  },
  { code: 'CLY_TRUST_ROOT_SHAPE', claim: 'integrity', exit: 2, run: { trustRoot: '{}' } },
  { code: 'CLY_VERIFICATION_POLICY_SHAPE', claim: 'integrity', exit: 2, run: { policy: '{"format":"x"}' } },
  {
    code: 'CLY_KEY_UNKNOWN',
    claim: 'authorship',
    exit: 1,
    edits: { trustRoot: (root) => (root.keys = root.keys.filter((key: Loose) => key.subject !== 'recorder')) },
    at: { line: 5, member: 'observation' },
  },
  { code: 'CLY_KEY_ROLE', claim: 'authorship', exit: 1, edits: withKey('enforcer', (key) => (key.roles = ['intake'])) },
  {
    code: 'CLY_KEY_TIME',
    claim: 'authorship',
    exit: 1,
    edits: withKey('intake', (key) => (key.valid_from = 1_000_030)),
  },
  { code: 'CLY_KEY_TIME', claim: 'authorship', exit: 1, edits: withKey('intake', (key) => (key.valid_to = 1_000_030)) },
  {
    code: 'CLY_KEY_REVOKED',
    claim: 'authorship',
    exit: 1,
    edits: withKey('intake', (key) => (key.revoked_at = 1_000_030)),
  },
  {
    code: 'CLY_KEY_ALGORITHM',
    claim: 'authorship',
    exit: 3,
    edits: withKey('recorder', (key) => (key.alg = 'ml-dsa-44')),
  },
  {
    code: 'CLY_SIG_PATH',
    claim: 'authorship',
    exit: 1,
    edits: { line: at(3, (line) => (line.receipt.sig.size = 200)) },
    at: { line: 4, member: 'receipt' },
  },
  {
    code: 'CLY_SIG_INVALID',
    claim: 'authorship',
    exit: 1,
    edits: { line: at(3, (line) => (line.change.sig.sig = `${'A'.repeat(86)}==`)) },
    at: { line: 4, member: 'change' },
  },
  {
    code: 'CLY_CHECKPOINT_SIGNATURE',
    claim: 'authorship',
    exit: 1,
    run: (pair) =>
      inFile(
        'checkpoint',
        (pair.first.files.get('checkpoint') as Buffer).toString('utf8').replace('— clyra', '— klyra'),
      ),
  },
  {
    code: 'CLY_COMMAND_KIND',
    claim: 'authorship',
    exit: 1,
    edits: {
      change: at(1, (body) => (body.kind = 'source.forgotten')),
      receipt: at(1, (body) => (body.change_kind = 'source.forgotten')),
    },
  },
  {
    code: 'CLY_COMMAND_SIGNER',
    claim: 'authorship',
    exit: 1,
    edits: { change: at(1, (body) => (body.command.source_id = 'pg2')) },
    at: { line: 2 },
  },
  {
    code: 'CLY_COMMAND_SIGNER',
    claim: 'authorship',
    exit: 1,
    edits: { change: at(1, (body) => (body.signatures = [])) },
  },
  {
    code: 'CLY_COMMAND_ROLE',
    claim: 'authorship',
    exit: 1,
    edits: withKey('olga', (key) => (key.roles = ['approver'])),
  },
];

const POLICIES: readonly Case[] = [
  {
    code: 'CLY_POLICY_OTHER',
    claim: 'policy',
    exit: 1,
    edits: { receipt: at(6, (body) => (body.policy_digest = OTHER)) },
    at: { line: 7 },
  },
  {
    code: 'CLY_POLICY_OTHER',
    claim: 'policy',
    exit: 1,
    edits: { receipt: at(6, (body) => (body.policy_digest = null)) },
  },
  { code: 'CLY_POLICY_MISSING', claim: 'policy', exit: 1, run: noPolicy() },
  { code: 'CLY_RECONCILE_POLICY', claim: 'reconciliation', exit: 1, run: noPolicy() },
  {
    code: 'CLY_POLICY_DOCUMENT',
    claim: 'policy',
    exit: 1,
    edits: { policy: (document) => (document.guarded = 'all') },
  },
  {
    code: 'CLY_POLICY_GUARDED',
    claim: 'policy',
    exit: 1,
    second: true,
    edits: { opening: (ledger) => (ledger.guarded = []) },
  },
  {
    code: 'CLY_POLICY_INSPECTION',
    claim: 'policy',
    exit: 1,
    edits: {
      change: at(3, (body) => (body.facts.inspected_under = { policy_digest: OTHER, inspector: 'i' })),
      receipt: at(3, (body) => (body.inspected_under = { policy_digest: OTHER, inspector: 'i' })),
    },
    at: { line: 4 },
  },
];

const RECONCILIATION: readonly Case[] = [
  {
    code: 'CLY_RECONCILE_LINE',
    claim: 'reconciliation',
    exit: 1,
    edits: { line: at(11, (line) => (line.status = 'matched')) },
    at: { line: 12, member: 'status' },
  },
  {
    code: 'CLY_RECONCILE_LINE',
    claim: 'reconciliation',
    exit: 1,
    edits: { line: at(10, (line) => (line.leaf = 5)) },
    at: { line: 11, member: 'leaf' },
  },
  {
    code: 'CLY_RECONCILE_MISSING',
    claim: 'reconciliation',
    exit: 1,
    edits: { lines: (lines) => removeAt(lines, LINE.unattributed) },
  },
  {
    code: 'CLY_RECONCILE_EXTRA',
    claim: 'reconciliation',
    exit: 1,
    edits: { lines: (lines) => lines.splice(LINE.runClosed, 0, { ...lines[LINE.unattributed], leaf: 8 }) },
  },
  {
    code: 'CLY_RECONCILE_PLACE',
    claim: 'reconciliation',
    exit: 1,
    edits: { lines: (lines) => lines.splice(LINE.outcome, 0, lines.splice(LINE.watermark, 1)[0]) },
    at: { line: 6 },
  },
  {
    code: 'CLY_RECONCILE_TOTAL',
    claim: 'reconciliation',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.reconciliation.unattributed = 0) },
    at: { member: 'reconciliation.unattributed' },
  },
  {
    code: 'CLY_RECONCILE_TOTAL',
    claim: 'reconciliation',
    exit: 1,
    edits: { observation: at(LINE.watermark, (body) => (body.covers_until = 5)) },
  },
];

describe('trust root, keys and commands', () => {
  it.each(KEYS.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('policies', () => {
  it.each(POLICIES.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('a change whose signature does not hold', () => {
  const forged = (receipt: (body: Loose) => void): Edits => ({
    receipt: at(6, receipt),
    line: at(6, (line) => {
      line.change.sig.sig = `${'A'.repeat(86)}==`;
    }),
  });

  it('is no failure where its receipt refuses it for that', async () => {
    const edits = forged((body) => {
      body.reasons = [{ code: 'CLY_CHANGE_SIGNATURE' }];
    });
    const report = await runVerifier(buildStandard({ edits }));
    expect(report.failures).toEqual([]);
  });

  it('is one where it was refused for something else', async () => {
    const report = await runVerifier(buildStandard({ edits: forged(() => undefined) }));
    expect(report.failures.map((failure) => failure.code)).toEqual(['CLY_SIG_INVALID']);
  });
});

describe('reconciliation', () => {
  it.each(RECONCILIATION.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

function noPolicy(): (pair: Pair) => RunOptions {
  return (pair) => ({ bend: (folder) => rmSync(join(folder, artifactOf(pair, 'policy'))) });
}
