// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { at, type Case, inFile, OTHER, raw, removeAt, runCase } from './testing/case.ts';
import type { Loose } from './testing/primitives.ts';
import { LINE, type Pair } from './testing/standard-bundle.ts';

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
  {
    code: 'CLY_ORDER_COMMIT',
    claim: 'order',
    exit: 1,
    edits: { observation: at(7, (body) => (body.commit_end_lsn = '0/1')) },
    at: { line: 8, member: 'observation.body.commit_end_lsn' },
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
    edits: { lines: (lines) => removeAt(lines, LINE.outcome) },
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

describe('lines', () => {
  it.each(LINES.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('chains, ledger and state', () => {
  it.each(CHAINS.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('the previous checkpoint', () => {
  it.each(PREVIOUS.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

function useAsLedger(manifest: Loose): void {
  const policy = manifest.artifacts.find((artifact: Loose) => artifact.kind === 'policy');
  policy.kind = 'ledger';
  manifest.opening_ledger = policy.sha256;
}
