// SPDX-License-Identifier: Apache-2.0

import { type DecidedLine, isCut, type MatchedLine, type ObservedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { anything, integer, list, open, text } from '../json/shape.ts';
import { judge, type Match, type MatchStatus } from '../ledger/judge.ts';
import { type Ledger, type Pending, readRelation } from '../ledger/ledger.ts';
import type { Report } from './chain-check.ts';

const GRANT_KEPT_MS = 86_400_000;
const LISTED_MAX = 20;
/** No manifest of 1 MiB can list more: what comes on top is not kept, and the totals differ as they must. */
const LISTED_IN_MANIFEST_MAX = 65_536;

const readTransaction = open({
  system_id: text,
  timeline: integer(0),
  commit_end_lsn: text,
  committed_at: integer(0),
  relations: list(readRelation),
  token_hashes: list(text),
});
const readWatermark = open({ lsn: anything, covers_until: integer(0) });
const readGap = open({ from_lsn: anything, to_lsn: anything, reason: anything });

/** An observation that was not matched. */
export interface Finding {
  readonly status: Exclude<MatchStatus, 'matched'>;
  readonly observationId: string;
  readonly leaf: number;
  readonly line: number;
  readonly reason: string;
  readonly eventId: string | null;
}

/** Re-derives what each cut must say (bundle.md §4) and compares it with the lines that stand before it. */
export class ReconciliationCheck {
  readonly counts: Record<MatchStatus, number> = {
    matched: 0,
    exceeded: 0,
    reused: 0,
    unattributed: 0,
    claimed_unproved: 0,
  };
  readonly gaps: JsonObject[] = [];
  readonly findings: Finding[] = [];
  readonly registered: Set<string> = new Set();
  observations = 0;
  lastOutcomeMs: number | null = null;
  readonly #ledger: Ledger;
  readonly #report: Report;
  /** The watermarks that stand since the last other line: where they begin, and the source of the last. */
  #watermarks: { readonly line: number; readonly lastSource: string } | null = null;
  #matches: MatchedLine[] = [];
  readonly #commits: Map<string, bigint> = new Map();

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger;
    this.#report = report;
  }

  get guarded(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  /** Throws ShapeError when the body is not of its kind. */
  observed(line: ObservedLine): void {
    const { kind, source_id: sourceId, observation_id: observationId } = line.observation.read;
    const body = line.observation.value;
    if (kind === 'watermark') {
      this.#watermark(line, readWatermark(body, 'observation.body'));
      return;
    }
    this.#requireNoneOpen();
    if (kind === 'gap') {
      const gap = readGap(body, 'observation.body');
      if (this.gaps.length < LISTED_IN_MANIFEST_MAX) {
        this.gaps.push({ source_id: sourceId, from_lsn: gap.from_lsn, to_lsn: gap.to_lsn, reason: gap.reason });
      }
      return;
    }
    const transaction = readTransaction(body, 'observation.body');
    this.#requireNewer(line, transaction);
    this.observations += 1;
    this.#ledger.pending.push({
      observation_id: observationId,
      leaf: line.leaf,
      append_time: line.appendTimeMs,
      source_id: sourceId,
      committed_at: transaction.committed_at,
      relations: (body.relations as JsonObject[]).map(withoutRows),
      token_hashes: transaction.token_hashes,
    });
  }

  /** A transaction is a leaf once: those of a source stand in the order of their commits (bundle.md §1). */
  #requireNewer(line: ObservedLine, body: ReturnType<typeof readTransaction>): void {
    const source = `${line.observation.read.source_id}\n${body.system_id}\n${body.timeline}`;
    const position = positionOf(body.commit_end_lsn);
    const before = this.#commits.get(source);
    if (position === null || (before !== undefined && position <= before)) {
      const message = 'a transaction stands after one with the same or a higher commit_end_lsn of its source';
      const at = { line: line.line, member: 'observation.body.commit_end_lsn' };
      this.#report({ claim: 'order', code: 'CLY_ORDER_COMMIT', at, message });
    } else if (before !== undefined || this.#commits.size < LISTED_IN_MANIFEST_MAX) {
      this.#commits.set(source, position);
    }
  }

  matched(line: MatchedLine): void {
    if (this.#matches.length >= this.#ledger.pending.length) {
      this.#report({
        claim: 'reconciliation',
        code: 'CLY_RECONCILE_EXTRA',
        at: { line: line.line },
        message: 'judges no pending observation',
      });
    } else {
      this.#matches.push(line);
    }
  }

  decided(line: DecidedLine): void {
    const { change_kind: kind, decided_at: decidedAt, grants } = line.receipt.read;
    const isAllowed = line.decision?.decision === 'allow';
    if (isCut(line)) {
      this.#cut(line);
    } else {
      this.#requireNoneOpen();
    }
    if (kind === 'change.outcome') {
      this.lastOutcomeMs = line.appendTimeMs;
    }
    if (kind === 'source.registered' && isAllowed) {
      const source = (line.change.value.command as JsonObject | undefined)?.source_id;
      if (this.registered.size < LISTED_IN_MANIFEST_MAX) {
        this.registered.add(typeof source === 'string' ? source : '');
      }
    }
    if (kind !== 'change.requested' || !isAllowed) {
      return;
    }
    for (const grant of grants ?? []) {
      if (!this.#ledger.grants.has(grant.token_hash)) {
        this.#ledger.grants.set(grant.token_hash, {
          ...grant,
          event_id: line.receipt.read.event_id,
          receipt_id: line.receipt.read.receipt_id,
          not_before: decidedAt,
          used_by: null,
        });
      }
    }
  }

  #watermark(line: ObservedLine, body: ReturnType<typeof readWatermark>): void {
    const sourceId = line.observation.read.source_id;
    const before = this.#watermarks;
    if (this.#matches.length > 0 || (before !== null && before.lastSource >= sourceId)) {
      const message = 'watermarks stand in ascending order of source_id, before the matched lines';
      this.#report({ claim: 'reconciliation', code: 'CLY_RECONCILE_PLACE', at: { line: line.line }, message });
    }
    this.#watermarks = { line: before?.line ?? line.line, lastSource: sourceId };
    if (this.#ledger.watermarks.has(sourceId) || this.#ledger.watermarks.size < LISTED_IN_MANIFEST_MAX) {
      this.#ledger.watermarks.set(sourceId, { source_id: sourceId, ...body });
    }
  }

  #requireNoneOpen(): void {
    const stray = this.#watermarks ?? this.#matches[0];
    if (stray !== undefined) {
      this.#report({
        claim: 'reconciliation',
        code: 'CLY_RECONCILE_PLACE',
        at: { line: stray.line },
        message: 'does not stand directly before a cut',
      });
      this.#watermarks = null;
      this.#matches = [];
    }
  }

  #cut(line: DecidedLine): void {
    const expected = this.#judgePending(line.appendTimeMs);
    this.#compare(expected, line.line);
    this.#watermarks = null;
    this.#matches = [];
    for (const [token, grant] of this.#ledger.grants) {
      if (grant.expires_at + GRANT_KEPT_MS < line.appendTimeMs) {
        this.#ledger.grants.delete(token);
      }
    }
  }

  #judgePending(cutMs: number): readonly Match[] {
    const matches: Match[] = [];
    const left: Pending[] = [];
    for (const pending of this.#ledger.pending) {
      if (pending.append_time > cutMs) {
        left.push(pending);
        continue;
      }
      const match = judge(pending, this.#ledger.guarded, this.#ledger.grants);
      if (match !== null) {
        matches.push(match);
        this.counts[match.status] += 1;
      }
    }
    this.#ledger.pending = left;
    return matches;
  }

  /** Both lists rise by leaf; of equal length they pair as they stand, so that a wrong leaf is placed on its line. */
  #compare(expected: readonly Match[], cutLine: number): void {
    const isPaired = expected.length === this.#matches.length;
    let next = 0;
    for (const match of expected) {
      while (!isPaired && (this.#matches[next]?.read.leaf ?? Number.POSITIVE_INFINITY) < match.leaf) {
        this.#extra(this.#matches[next] as MatchedLine);
        next += 1;
      }
      const line = this.#matches[next];
      if (line === undefined || (!isPaired && line.read.leaf !== match.leaf)) {
        const message = `observation ${match.observation_id} (leaf ${match.leaf}) is ${match.status}: no line says so`;
        this.#report({ claim: 'reconciliation', code: 'CLY_RECONCILE_MISSING', at: { line: cutLine }, message });
        this.#list(match, cutLine);
        continue;
      }
      next += 1;
      this.#list(match, line.line);
      const member = differingMember(match as unknown as JsonObject, line.value);
      if (member !== null) {
        const message = `must be ${encodeCanonical((match as unknown as JsonObject)[member] ?? null)}`;
        this.#report({ claim: 'reconciliation', code: 'CLY_RECONCILE_LINE', at: { line: line.line, member }, message });
      }
    }
    for (const line of this.#matches.slice(next)) {
      this.#extra(line);
    }
  }

  #extra(line: MatchedLine): void {
    this.#report({
      claim: 'reconciliation',
      code: 'CLY_RECONCILE_EXTRA',
      at: { line: line.line },
      message: 'judges no pending observation',
    });
  }

  #list(match: Match, line: number): void {
    if (match.status !== 'matched' && this.findings.length < LISTED_MAX) {
      this.findings.push({
        status: match.status,
        observationId: match.observation_id,
        leaf: match.leaf,
        line,
        reason: match.reason,
        eventId: match.event_id,
      });
    }
  }
}

function withoutRows(relation: JsonObject): JsonObject {
  const { rows_digest: _rows, ...rest } = relation;
  return rest;
}

/** The first member that differs, or null. */
export function differingMember(expected: JsonObject, actual: JsonObject): string | null {
  const names = new Set([...Object.keys(expected), ...Object.keys(actual)]);
  for (const name of names) {
    if (encodeOptional(expected[name]) !== encodeOptional(actual[name])) {
      return name;
    }
  }
  return null;
}

function encodeOptional(value: JsonValue | undefined): string {
  return value === undefined ? '' : encodeCanonical(value);
}

/** A PostgreSQL position as a number, or null. */
function positionOf(lsn: string): bigint | null {
  const parts = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(lsn);
  return parts === null ? null : (BigInt(`0x${parts[1]}`) << 32n) | BigInt(`0x${parts[2]}`);
}
