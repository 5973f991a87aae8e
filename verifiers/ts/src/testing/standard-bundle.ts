// SPDX-License-Identifier: Apache-2.0
import { type Edits, ENGINE, type Keys, LogBuilder, makeKeys } from './log-builder.ts';
import { hexOf, type Loose } from './primitives.ts';
import { type Before, type BuiltBundle, EMPTY, seal, stateDigest, trustRootOf } from './seal.ts';

export const TOKEN = hexOf('token');
const RUN = 'run-1';
const RUN_FACTS = { run_id: RUN, actor: 'bot', principal: 'p' };

/** Indices of the lines of the first standard bundle. */
export const LINE = {
  tenantOpened: 0,
  sourceRegistered: 1,
  coverage: 2,
  runOpened: 3,
  allowed: 4,
  transaction: 5,
  outcome: 6,
  blocked: 7,
  bypass: 8,
  watermark: 9,
  matched: 10,
  unattributed: 11,
  runClosed: 12,
} as const;

export interface StandardOptions {
  readonly keys?: Keys;
  readonly edits?: Edits;
  readonly documents?: readonly string[];
}

export interface Pair {
  readonly first: BuiltBundle;
  readonly second: BuiltBundle;
}

/** A first bundle: one effect that is matched and one that is unattributed, in a log of one run. */
export function buildStandard(options: StandardOptions = {}): BuiltBundle & { next: Before; builder: LogBuilder } {
  const builder = new LogBuilder(options.keys ?? makeKeys(), options.edits ?? {});
  writeFirstLines(builder);
  return { ...seal(builder, EMPTY, options.documents), builder };
}

/** The first bundle and one that continues it: a window with a held request and a token used a second time. */
export function buildPair(options: StandardOptions = {}, first: StandardOptions = {}): Pair {
  const keys = options.keys ?? first.keys;
  const start = buildStandard({ ...first, ...(keys === undefined ? {} : { keys }) });
  const builder = new LogBuilder(start.builder.keys, options.edits ?? {});
  const { timeMs, offset, ledger } = start.builder;
  Object.assign(builder, { timeMs, offset, ledger, start: start.next.leaves.length });
  writeSecondLines(builder);
  return { first: start, second: seal(builder, start.next) };
}

function writeFirstLines(builder: LogBuilder): void {
  const { keys } = builder;
  const opening = {
    partition: 0,
    engine: ENGINE,
    trust_root: hexOf(trustRootOf(builder)),
    policy: builder.policyDigest,
  };
  const byOperator = { signers: [keys.operator as (typeof keys)['log']], subject: 'olga' };
  const cut = { state_digest: stateDigest(), policy_digest: builder.policyDigest };
  builder.command('tenant.opened', opening, { ...byOperator, receipt: cut });
  builder.command('source.registered', { source_id: 'pg', database: hexOf('db'), system_id: 'sys' }, byOperator);
  writeCoverage(builder);
  builder.decide('run.opened', { change: RUN_FACTS, receipt: {}, run: RUN });
  const allowed = writeRequest(builder, 'allow', RUN);
  writeTransaction(builder, [TOKEN], 2);
  const outcome = { of: allowed.change.body.event_id, outcome: 'done' };
  builder.decide('change.outcome', { change: outcome, receipt: { effect: 'done', of: outcome.of } });
  writeRequest(builder, 'block');
  writeTransaction(builder, [], 1);
  builder.edits.more?.(builder);
  writeWatermark(builder);
  const closing = { state_digest: stateDigest(), count: 2 };
  builder.cut('run.closed', { change: RUN_FACTS, receipt: closing, run: RUN });
}

function writeSecondLines(builder: LogBuilder): void {
  writeRequest(builder, 'hold');
  writeTransaction(builder, [TOKEN], 1);
  builder.edits.more?.(builder);
  writeWatermark(builder);
  builder.cut('window.closed', { change: { number: 1 }, receipt: { state_digest: stateDigest() } });
}

function writeCoverage(builder: LogBuilder): void {
  builder.observe('coverage', {
    system_id: 'sys',
    timeline: 1,
    lsn: '0/10',
    scope: 'listed',
    relations: ['public.orders'],
    blind_spots: [{ code: 'unlogged' }],
  });
}

export function writeRequest(builder: LogBuilder, decision: string, run?: string): Loose {
  const inspected = { policy_digest: builder.ledger.head.policy, inspector: 'i-1' };
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
  const refusal = { reasons: [{ code: 'CLY_VELOCITY', effect: decision, rule: 'r1', threat_class: 'abuse' }] };
  const receipt = { decision, inspected_under: inspected, ...(decision === 'allow' ? { grants } : refusal) };
  const facts = {
    method: 'POST',
    inspected_under: inspected,
    payload_size: 42,
    schema: { id: 's', verdict: 'valid', errors: [] },
    content: 'ok',
  };
  return builder.decide('change.requested', { change: { facts }, receipt, run });
}

export function writeTransaction(builder: LogBuilder, tokens: readonly string[], inserts: number): Loose {
  const orders = { schema: 'public', name: 'orders', inserts, updates: 0, deletes: 0, truncates: 0 };
  return builder.observe('transaction', {
    system_id: 'sys',
    timeline: 1,
    commit_end_lsn: `0/${(0xab00 + builder.offset).toString(16).toUpperCase()}`,
    xid: 7,
    committed_at: builder.timeMs,
    relations: [{ ...orders, rows_digest: hexOf('rows') }],
    token_hashes: tokens,
    messages: tokens.length,
  });
}

function writeWatermark(builder: LogBuilder): Loose {
  const lsn = `0/${(0xffff0 + builder.offset).toString(16).toUpperCase()}`;
  return builder.observe('watermark', { system_id: 'sys', timeline: 1, lsn, covers_until: builder.timeMs });
}
