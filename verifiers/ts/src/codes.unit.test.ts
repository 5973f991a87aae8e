// SPDX-License-Identifier: Apache-2.0
import { rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { Edits } from './testing/log-builder.ts';
import { hexOf, type Loose } from './testing/primitives.ts';
import { type RunOptions, runVerifier } from './testing/run-verifier.ts';
import { buildPair, buildStandard, LINE, type Pair } from './testing/standard-bundle.ts';

interface Case {
  readonly code: string;
  readonly claim: string;
  readonly exit: number;
  readonly edits?: Edits;
  /** The case is about the second of two bundles. */
  readonly second?: boolean;
  readonly run?: RunOptions | ((pair: Pair) => RunOptions);
  readonly at?: Loose;
}

const OTHER = hexOf('other');
const at = (index: number, bend: (value: Loose) => void) => (value: Loose, where: number) => {
  if (where === index) {
    bend(value);
  }
};
const inFile = (name: string, content: string) => ({
  bend: (folder: string) => writeFileSync(join(folder, name), content),
});
const raw = (index: number, bend: (line: string) => string): Edits => ({
  rawLines: (lines) => {
    lines[index] = bend(lines[index] as string);
  },
});
const artifactOf = (pair: Pair, kind: string): string =>
  `artifacts/${pair.second.manifest.artifacts.find((artifact: Loose) => artifact.kind === kind).sha256}`;
const withKey = (subject: string, bend: (key: Loose) => void): Edits => ({
  trustRoot: (root) => bend(root.keys.find((key: Loose) => key.subject === subject)),
});
const remove = (list: Loose[], index: number) => void list.splice(index, 1);

const FILES: readonly Case[] = [
  {
    code: 'CLY_BUNDLE_FILE_UNKNOWN',
    claim: 'integrity',
    exit: 2,
    run: inFile('notes.txt', 'x'),
    at: { file: 'notes.txt' },
  },
  { code: 'CLY_BUNDLE_FILE_UNKNOWN', claim: 'integrity', exit: 2, run: inFile(`artifacts/${OTHER}`, 'x') },
  { code: 'CLY_BUNDLE_FILE_UNKNOWN', claim: 'integrity', exit: 2, run: inFile('artifacts/readme', 'x') },
  {
    code: 'CLY_BUNDLE_FILE_MISSING',
    claim: 'integrity',
    exit: 2,
    run: { bend: (folder) => rmSync(join(folder, 'journal.jsonl')) },
    at: { file: 'journal.jsonl' },
  },
  {
    code: 'CLY_BUNDLE_FILE_KIND',
    claim: 'integrity',
    exit: 2,
    run: {
      bend: (folder) => {
        rmSync(join(folder, 'checkpoint'));
        symlinkSync(join(folder, 'VERIFY.md'), join(folder, 'checkpoint'));
      },
    },
    at: { file: 'checkpoint' },
  },
  { code: 'CLY_BUNDLE_FILE_SIZE', claim: 'integrity', exit: 2, run: inFile('checkpoint', 'x'.repeat(16_385)) },
  {
    code: 'CLY_BUNDLE_FILE_SIZE',
    claim: 'integrity',
    exit: 2,
    run: { bend: (folder) => truncateSync(join(folder, 'manifest.json'), 1_048_577) },
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_MISSING',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => ({ bend: (folder) => rmSync(join(folder, artifactOf(pair, 'state'))) }),
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_SIZE',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => inFile(artifactOf(pair, 'policy'), '{}'),
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_DIGEST',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => {
      const name = artifactOf(pair, 'ledger');
      return inFile(name, (pair.second.files.get(name) as Buffer).toString('latin1').replace('0', '1'));
    },
  },
];

const DOCUMENTS: readonly Case[] = [
  {
    code: 'CLY_MANIFEST_SHAPE',
    claim: 'integrity',
    exit: 2,
    edits: { manifest: (manifest) => delete manifest.cut.kind },
    at: { file: 'manifest.json', member: 'cut.kind' },
  },
  { code: 'CLY_MANIFEST_SHAPE', claim: 'integrity', exit: 2, edits: { manifest: (m) => m.frontier.push(OTHER) } },
  {
    code: 'CLY_MANIFEST_SHAPE',
    claim: 'integrity',
    exit: 2,
    edits: { manifest: (m) => m.journal.segments.push(OTHER) },
  },
  { code: 'CLY_BUNDLE_MANIFEST_DIGEST', claim: 'integrity', exit: 2, run: inFile('manifest.json', '{}') },
  { code: 'CLY_CHECKPOINT_SHAPE', claim: 'integrity', exit: 2, run: inFile('checkpoint', 'origin\n01\n') },
  { code: 'CLY_DSSE_SHAPE', claim: 'integrity', exit: 2, run: inFile('manifest.dsse.json', '{"payload":""}') },
  { code: 'CLY_JSON_DUPLICATE', claim: 'integrity', exit: 2, run: inFile('manifest.json', '{"a":1,"a":1}') },
  {
    code: 'CLY_BUNDLE_MANIFEST_MEMBER',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.decisions.block = 0) },
    at: { file: 'manifest.json', member: 'decisions' },
  },
  {
    code: 'CLY_BUNDLE_MANIFEST_MEMBER',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.segments = [OTHER]) },
    at: { file: 'manifest.json', member: 'journal.segments' },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_DIGEST',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.sha256 = OTHER) },
    at: { file: 'manifest.json', member: 'journal.sha256' },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_SIZE',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.size += 1) },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_LINES',
    claim: 'integrity',
    exit: 1,
    edits: {
      manifest: (manifest) => {
        manifest.range.end += 1;
        manifest.journal.lines += 1;
      },
    },
  },
  {
    code: 'CLY_BUNDLE_ROOT',
    claim: 'completeness',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.root = OTHER) },
    at: { file: 'manifest.json', member: 'root' },
  },
  {
    code: 'CLY_CHECKPOINT_AGREEMENT',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => inFile('checkpoint', (pair.first.files.get('checkpoint') as Buffer).toString('utf8')),
    at: { file: 'checkpoint', member: 'root' },
  },
  {
    code: 'CLY_DSSE_AGREEMENT',
    claim: 'integrity',
    exit: 1,
    edits: { statement: (statement) => (statement.predicate = { ...statement.predicate, root: OTHER }) },
  },
];

const LINES: readonly Case[] = [
  {
    code: 'CLY_JSON_ORDER',
    claim: 'integrity',
    exit: 1,
    edits: raw(1, (line) => `{"v":0,${line.slice(1)}`),
    at: { line: 2 },
  },
  { code: 'CLY_JSON_SYNTAX', claim: 'integrity', exit: 1, edits: raw(1, (line) => line.replace(':', ': ')) },
  { code: 'CLY_JSON_SYNTAX', claim: 'integrity', exit: 1, edits: raw(1, (line) => `${line}\r`) },
  { code: 'CLY_JSON_NUMBER', claim: 'integrity', exit: 1, edits: raw(1, (line) => line.replace('"v":0', '"v":0.0')) },
  {
    code: 'CLY_JSON_CANONICAL',
    claim: 'integrity',
    exit: 1,
    edits: raw(1, (line) => line.replace('"olga"', '"\\u006flga"')),
  },
  { code: 'CLY_JSON_NAME', claim: 'integrity', exit: 1, edits: { line: at(0, (line) => (line.Extra = 1)) } },
  {
    code: 'CLY_JSON_DEPTH',
    claim: 'integrity',
    exit: 1,
    edits: raw(1, () => `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`),
  },
  {
    code: 'CLY_LINE_SHAPE',
    claim: 'integrity',
    exit: 1,
    edits: { line: at(0, (line) => (line.extra = 1)) },
    at: { line: 1 },
  },
  { code: 'CLY_LINE_SHAPE', claim: 'integrity', exit: 1, edits: { receipt: at(3, (body) => (body.offset = -1)) } },
  { code: 'CLY_LINE_TOO_LONG', claim: 'integrity', exit: 1, edits: raw(4, () => 'x'.repeat(65_536)), at: { line: 5 } },
  { code: 'CLY_JOURNAL_UNREADABLE', claim: 'order', exit: 1, edits: raw(4, () => ''), at: { line: 5 } },
  {
    code: 'CLY_LINE_UNTERMINATED',
    claim: 'integrity',
    exit: 1,
    run: (pair) =>
      inFile('journal.jsonl', (pair.first.files.get('journal.jsonl') as Buffer).toString('utf8').slice(0, -1)),
  },
  {
    code: 'CLY_LINE_BINDING',
    claim: 'integrity',
    exit: 1,
    edits: { receipt: at(3, (body) => (body.receipt_id = OTHER.slice(32))) },
    at: { line: 4, member: 'receipt.body.receipt_id' },
  },
  {
    code: 'CLY_LINE_TENANT',
    claim: 'integrity',
    exit: 1,
    edits: { observation: at(4, (body) => (body.tenant = 'other')) },
    at: { line: 5 },
  },
  {
    code: 'CLY_ORDER_OFFSET',
    claim: 'order',
    exit: 1,
    edits: { receipt: at(5, (body) => (body.offset = 3)) },
    at: { line: 6 },
  },
  {
    code: 'CLY_ORDER_PREVIOUS_OFFSET',
    claim: 'order',
    exit: 1,
    edits: { receipt: at(5, (body) => (body.previous_offset = 0)) },
    at: { line: 6 },
  },
  {
    code: 'CLY_ORDER_TIME',
    claim: 'order',
    exit: 1,
    edits: { line: at(5, (line) => (line.append_time = 1)) },
    at: { line: 6 },
  },
  {
    code: 'CLY_ORDER_TIME',
    claim: 'order',
    exit: 1,
    edits: { line: at(3, (line) => (line.append_time += 1_000)) },
    at: { line: 4, member: 'append_time' },
  },
  {
    code: 'CLY_ORDER_TIME',
    claim: 'order',
    exit: 1,
    edits: { line: at(7, (line) => (line.append_time = 1)) },
    at: { line: 8 },
  },
];

const CHAINS: readonly Case[] = [
  {
    code: 'CLY_CHAIN_LINK',
    claim: 'order',
    exit: 1,
    edits: { receipt: at(6, (body) => (body.tenant_prev = OTHER)) },
  },
  {
    code: 'CLY_CHAIN_GAP',
    claim: 'completeness',
    exit: 1,
    edits: { lines: (lines) => remove(lines, LINE.outcome) },
    at: { line: 6 },
  },
  {
    code: 'CLY_CHAIN_GAP',
    claim: 'completeness',
    exit: 1,
    edits: { receipt: at(6, (body) => (body.tenant_seq += 1)) },
  },
  { code: 'CLY_RUN_LINK', claim: 'order', exit: 1, edits: { receipt: at(3, (body) => (body.prev = OTHER)) } },
  {
    code: 'CLY_RUN_GAP',
    claim: 'completeness',
    exit: 1,
    edits: { receipt: at(3, (body) => (body.seq = 5)) },
    at: { line: 4 },
  },
  {
    code: 'CLY_RUN_COUNT',
    claim: 'completeness',
    exit: 1,
    edits: { receipt: at(12, (body) => (body.count = 1)) },
    at: { line: 13 },
  },
  {
    code: 'CLY_RUN_AFTER_CLOSE',
    claim: 'completeness',
    exit: 1,
    edits: {
      change: at(3, (body) => (body.kind = 'run.closed')),
      receipt: at(3, (body) => Object.assign(body, { change_kind: 'run.closed', count: 1 })),
    },
  },
  {
    code: 'CLY_BUNDLE_CUT',
    claim: 'completeness',
    exit: 1,
    edits: { receipt: at(12, (body) => delete body.state_digest) },
  },
  {
    code: 'CLY_LEDGER_CLOSING',
    claim: 'completeness',
    exit: 1,
    edits: { ledger: (ledger) => (ledger.last_offset = 1) },
  },
  {
    code: 'CLY_LEDGER_OPENING',
    claim: 'completeness',
    exit: 1,
    second: true,
    edits: { manifest: (manifest) => (manifest.opening_ledger = OTHER) },
  },
  {
    code: 'CLY_LEDGER_SHAPE',
    claim: 'completeness',
    exit: 1,
    second: true,
    edits: { manifest: (manifest) => useAsLedger(manifest) },
  },
  {
    code: 'CLY_STATE_ARTIFACT',
    claim: 'completeness',
    exit: 1,
    second: true,
    edits: {
      manifest: (manifest) => (manifest.artifacts.find((artifact: Loose) => artifact.kind === 'state').kind = 'ledger'),
    },
  },
  {
    code: 'CLY_STATE_DIGEST',
    claim: 'completeness',
    exit: 1,
    second: true,
    edits: { manifest: (manifest) => (manifest.opening_state = OTHER) },
  },
  {
    code: 'CLY_STATE_SHAPE',
    claim: 'completeness',
    exit: 1,
    second: true,
    edits: {
      manifest: (manifest) => {
        for (const artifact of manifest.artifacts) {
          artifact.kind = artifact.kind === 'ledger' ? 'state' : artifact.kind;
        }
      },
    },
  },
];

const PREVIOUS: readonly Case[] = [
  ...[
    ['CLY_PREVIOUS_ORIGIN', (note: string) => note.replaceAll('/acme', '/other')] as const,
    ['CLY_PREVIOUS_GAP', (note: string) => note.replace('\n13\n', '\n12\n')] as const,
    ['CLY_PREVIOUS_OVERLAP', (note: string) => note.replace('\n13\n', '\n14\n')] as const,
    [
      'CLY_PREVIOUS_FORK',
      (note: string) => note.replace(/\n13\n.*\n/, `\n13\n${Buffer.alloc(32).toString('base64')}\n`),
    ] as const,
  ].map(([code, bend]) => ({
    code,
    claim: 'completeness',
    exit: 1,
    second: true,
    run: (pair: Pair) => ({ previous: bend((pair.first.files.get('checkpoint') as Buffer).toString('utf8')) }),
  })),
  { code: 'CLY_CHECKPOINT_SHAPE', claim: 'integrity', exit: 2, second: true, run: { previous: 'x' } },
];

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
      change: at(6, (body) => (body.facts.inspected_under = { policy_digest: OTHER, inspector: 'i' })),
      receipt: at(6, (body) => (body.inspected_under = { policy_digest: OTHER, inspector: 'i' })),
    },
    at: { line: 7 },
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
    edits: { lines: (lines) => remove(lines, LINE.unattributed) },
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

const ALL = { FILES, DOCUMENTS, LINES, CHAINS, PREVIOUS, KEYS, POLICIES, RECONCILIATION };

for (const [name, cases] of Object.entries(ALL)) {
  describe(`codes: ${name.toLowerCase()}`, () => {
    it.each(cases.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
      const pair = buildPair(one.second === true && one.edits !== undefined ? { edits: one.edits } : {});
      const bundle =
        one.second === true ? pair.second : buildStandard(one.edits === undefined ? {} : { edits: one.edits });
      const run =
        typeof one.run === 'function'
          ? one.run({ ...pair, first: one.second === true ? pair.first : bundle })
          : one.run;
      const report = await runVerifier(bundle, run ?? {});
      const found = [...report.failures, ...report.claims.map((each) => ({ ...each, claim: each.id }))];
      expect(found).toContainEqual(
        expect.objectContaining({
          claim,
          code,
          ...(one.at === undefined ? {} : { location: expect.objectContaining(one.at) }),
        }),
      );
      expect(report.exitCode).toBe(one.exit);
    });
  });
}

describe('what is neither', () => {
  it('a bundle of another version is unsupported, and nothing of it is judged', async () => {
    const report = await runVerifier(
      buildStandard({ edits: { manifest: (manifest) => (manifest.format = 'clyra/bundle/v1') } }),
    );
    expect(report.exitCode).toBe(3);
    expect(new Set(report.claims.map((claim) => claim.status))).toEqual(new Set(['UNSUPPORTED']));
  });

  it('a provisional bundle is partial', async () => {
    const edits: Edits = {
      observation: at(LINE.watermark, (body) => (body.covers_until = 5)),
      ledger: (ledger) => (ledger.watermarks[0].covers_until = 5),
      manifest: (manifest) => {
        manifest.reconciliation.state = 'provisional';
        manifest.reconciliation.sources[0].covers_until = 5;
      },
    };
    const report = await runVerifier(buildStandard({ edits }));
    expect(report.failures).toEqual([]);
    const claim = report.claims.find((one) => one.id === 'reconciliation');
    expect(claim).toMatchObject({ status: 'PARTIAL', code: 'CLY_RECONCILE_PROVISIONAL' });
  });

  it('a folder that is not there is an I/O error', async () => {
    const report = await runVerifier(buildStandard(), { bend: (folder) => rmSync(folder, { recursive: true }) });
    expect(report).toMatchObject({ exitCode: 5, verdict: 'io_error' });
  });

  it('a cosignature is not judged, and only asked for by policy', async () => {
    const bundle = buildStandard();
    const note = (bundle.files.get('checkpoint') as Buffer).toString('utf8');
    bundle.files.set('checkpoint', Buffer.from(`${note}— witness.example ${Buffer.alloc(76, 4).toString('base64')}\n`));
    const report = await runVerifier(bundle);
    expect(report.claims.at(-1)).toMatchObject({ id: 'witness', status: 'UNSUPPORTED' });
    expect(report.exitCode).toBe(3);
  });
});

function noPolicy(): (pair: Pair) => RunOptions {
  return (pair) => ({ bend: (folder) => rmSync(join(folder, artifactOf(pair, 'policy'))) });
}

function useAsLedger(manifest: Loose): void {
  const policy = manifest.artifacts.find((artifact: Loose) => artifact.kind === 'policy');
  policy.kind = 'ledger';
  manifest.opening_ledger = policy.sha256;
}
