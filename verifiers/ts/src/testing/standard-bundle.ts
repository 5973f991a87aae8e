// SPDX-License-Identifier: Apache-2.0
import { type Edits, ENGINE, type Keys, LogBuilder, makeKeys } from './log-builder.ts';
import { canonical, hexOf, type Loose } from './primitives.ts';
import { type Before, type BuiltBundle, EMPTY, seal, stateDigest, trustRootOf } from './seal.ts';

export const TOKEN = hexOf('token');
const RUN = 'run-1';
const RUN_FACTS = { run_id: RUN, actor: 'bot', principal: 'p' };

/** Indices of the lines of the first standard bundle. */
export const LINE = {
  tenantOpened: 0,
  sourceRegistered: 1,
  runOpened: 2,
  allowed: 3,
  transaction: 4,
  outcome: 5,
  blocked: 6,
  bypass: 7,
  gap: 8,
  watermark: 9,
  matched: 10,
  unattributed: 11,
  runClosed: 12,
} as const;

export interface StandardOptions {
  readonly keys?: Keys;
  readonly edits?: Edits;
}

export interface Pair {
  readonly first: BuiltBundle;
  readonly second: BuiltBundle;
}

/** A first bundle that holds each kind of line: one matched and one unattributed effect. */
export function buildStandard(options: StandardOptions = {}): BuiltBundle & { next: Before; builder: LogBuilder } {
  const builder = new LogBuilder(options.keys ?? makeKeys(), options.edits ?? {});
  return { ...seal(builder, EMPTY, writeFirstLines(builder)), builder };
}

/** The first bundle and one that continues it: a window with a held request and a token used a second time. */
export function buildPair(options: StandardOptions = {}): Pair {
  const first = buildStandard(options.keys === undefined ? {} : { keys: options.keys });
  const builder = new LogBuilder(first.builder.keys, options.edits ?? {});
  const { timeMs, offset, seq, head, policyInForce } = first.builder;
  Object.assign(builder, { timeMs, offset, seq, head, policyInForce });
  const ledger = JSON.parse(first.next.ledger ?? '');
  options.edits?.opening?.(ledger);
  const before = { ...first.next, ledger: canonical(ledger) };
  return { first, second: seal(builder, before, writeSecondLines(builder, before)) };
}

function writeFirstLines(builder: LogBuilder): { ledger: Loose; stated: Loose } {
  const { keys } = builder;
  const opening = {
    partition: 0,
    engine: ENGINE,
    trust_root: hexOf(trustRootOf(builder)),
    policy: builder.policyDigest,
  };
  const byOperator = { signers: [keys.operator], subject: 'olga' };
  builder.command('tenant.opened', opening, { ...byOperator, receipt: { state_digest: stateDigest() } });
  builder.policyInForce = builder.policyDigest;
  const source = { source_id: 'pg', database: hexOf('db'), system_id: 'sys' };
  builder.command('source.registered', source, byOperator);
  builder.decide('run.opened', { change: RUN_FACTS, receipt: {}, run: RUN });
  const allowed = writeRequest(builder, 'allow', RUN);
  const effect = writeTransaction(builder, [TOKEN], 2);
  const outcome = { of: allowed.change.body.event_id, outcome: 'done' };
  builder.decide('change.outcome', { change: outcome, receipt: { effect: 'done', of: outcome.of } });
  writeRequest(builder, 'block');
  const bypass = writeTransaction(builder, [], 1);
  builder.observe('gap', { from_lsn: '0/1', to_lsn: '0/2', reason: 'slot_lost', detected_at: builder.timeMs });
  const mark = writeWatermark(builder);
  const grant = grantOf(allowed, effect.observation.body.observation_id);
  writeMatch(builder, effect, { leaf: LINE.transaction, status: 'matched', reason: 'token_and_effect', grant });
  writeMatch(builder, bypass, { leaf: LINE.bypass, status: 'unattributed', reason: 'no_token', grant: null });
  const closing = { count: 2, state_digest: stateDigest() };
  builder.decide('run.closed', { change: RUN_FACTS, receipt: closing, run: RUN });
  const stated = {
    cut: cutOf(builder, 'run.closed'),
    runs: { closed: [{ run_id: RUN, count: 2 }], open: [] },
    decisions: { allow: 5, block: 1, hold: 0, recorded: 1 },
    gaps: [{ source_id: 'pg', from_lsn: '0/1', to_lsn: '0/2', reason: 'slot_lost' }],
    reconciliation: { ...totalsOf(mark), observations: 2, guarded: 2, matched: 1, unattributed: 1 },
  };
  return { ledger: ledgerOf(builder, mark, grant), stated };
}

function writeSecondLines(builder: LogBuilder, before: Before): { ledger: Loose; stated: Loose } {
  const [grant] = JSON.parse(before.ledger ?? '').grants;
  writeRequest(builder, 'hold');
  const reuse = writeTransaction(builder, [TOKEN], 1);
  const mark = writeWatermark(builder);
  const leaf = before.leaves.length + 1;
  writeMatch(builder, reuse, { leaf, status: 'reused', reason: 'token_used', grant });
  builder.decide('window.closed', { change: { number: 1 }, receipt: { state_digest: stateDigest() } });
  const stated = {
    cut: cutOf(builder, 'window.closed'),
    runs: { closed: [], open: [] },
    decisions: { allow: 1, block: 0, hold: 1, recorded: 0 },
    reconciliation: { ...totalsOf(mark), observations: 1, guarded: 1, reused: 1 },
  };
  return { ledger: ledgerOf(builder, mark, grant), stated };
}

function writeRequest(builder: LogBuilder, decision: string, run?: string): Loose {
  const inspected = { policy_digest: builder.policyInForce, inspector: 'i-1' };
  const grants = [
    {
      token_hash: TOKEN,
      source_id: 'pg',
      relations: ['public.orders'],
      operations: ['insert', 'update'],
      rows_max: 5,
      expires_at: builder.timeMs + 30_000,
    },
  ];
  const receipt = { decision, inspected_under: inspected, ...(decision === 'allow' ? { grants } : {}) };
  const facts = { method: 'POST', inspected_under: inspected };
  return builder.decide('change.requested', { change: { facts }, receipt, run });
}

function writeTransaction(builder: LogBuilder, tokens: readonly string[], inserts: number): Loose {
  const orders = { schema: 'public', name: 'orders', inserts, updates: 0, deletes: 0, truncates: 0 };
  return builder.observe('transaction', {
    system_id: 'sys',
    timeline: 1,
    commit_end_lsn: `0/${(0xab + builder.lines.length).toString(16).toUpperCase()}`,
    xid: 7,
    committed_at: builder.timeMs,
    relations: [{ ...orders, rows_digest: hexOf('rows') }],
    token_hashes: tokens,
    messages: tokens.length,
  });
}

function writeWatermark(builder: LogBuilder): Loose {
  return builder.observe('watermark', { system_id: 'sys', timeline: 1, lsn: '0/FF', covers_until: builder.timeMs });
}

function writeMatch(
  builder: LogBuilder,
  observed: Loose,
  found: { leaf: number; status: string; reason: string; grant: Loose },
): void {
  builder.lines.push({
    v: 0,
    kind: 'matched',
    observation_id: observed.observation.body.observation_id,
    leaf: found.leaf,
    status: found.status,
    event_id: found.grant?.event_id ?? null,
    receipt_id: found.grant?.receipt_id ?? null,
    token_hash: found.grant?.token_hash ?? null,
    reason: found.reason,
  });
}

function grantOf(line: Loose, usedBy: string): Loose {
  const { body } = line.receipt;
  const { grants = [], event_id, receipt_id, decided_at: not_before } = body;
  return { ...grants[0], event_id, receipt_id, not_before, used_by: usedBy };
}

function ledgerOf(builder: LogBuilder, mark: Loose, grant: Loose): Loose {
  return {
    chain: { next_seq: builder.seq, head: builder.head },
    runs: [...builder.runs].map(([runId, run]) => ({ run_id: runId, ...run })),
    policy: builder.policyDigest,
    guarded: JSON.parse(builder.policy).guarded,
    grants: [grant],
    pending: [],
    watermarks: [watermarkEntry(mark)],
    last_append_time: builder.timeMs,
    last_offset: builder.offset,
  };
}

function watermarkEntry(mark: Loose): Loose {
  const { source_id, lsn, covers_until } = mark.observation.body;
  return { source_id, lsn, covers_until };
}

function totalsOf(mark: Loose): Loose {
  const none = { matched: 0, exceeded: 0, reused: 0, unattributed: 0, claimed_unproved: 0, pending: 0 };
  return { sources: [watermarkEntry(mark)], state: 'final', ...none, grants_unused: 0 };
}

function cutOf(builder: LogBuilder, kind: string): Loose {
  const { offset } = builder;
  const last = builder.lines.at(-1).receipt.body;
  return { kind, offset, partition: 0, state_digest: stateDigest(), receipt_id: last.receipt_id };
}
