// SPDX-License-Identifier: Apache-2.0
import type { BodyOf } from '../journal/bodies.ts';
import { type DecidedLine, isCut, type MatchedLine, type ObservedLine } from '../journal/line.ts';
import { judge, MATCH_STATUSES, type Match, type MatchStatus, touchedOf } from '../ledger/judge.ts';
import { GRANT_BYTES_MAX, type Ledger, PENDING_BYTES_MAX } from '../ledger/ledger.ts';
import { type Grant, lineBytesOf, type Pending, type Relation } from '../ledger/ledger-lines.ts';
import { validToOf } from '../trust/delegations.ts';
import { DerivedLines, type Finding } from './derived-lines.ts';
import type { Report } from './report.ts';

const GRANT_KEPT_MS = 86_400_000;
const GRANT_SEEN_MS = 60_000;

/** Re-derives what each cut must say (journal.md §4, §5) and compares it with the lines that stand before it. */
export class ReconciliationCheck {
  readonly counts: Record<MatchStatus, number> = Object.fromEntries(
    MATCH_STATUSES.map((status) => [status, 0]),
  ) as Record<MatchStatus, number>;
  observations = 0;
  unjudged = 0;
  grantsForgotten = 0;
  /** Grants of sources that nobody watched yet. */
  unobserved = 0;
  readonly #ledger: Ledger;
  readonly #derived: DerivedLines;
  /** What any policy in force since the cut before guards. */
  #guardedSince: Map<string, Set<string>> = new Map();

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger;
    this.#derived = new DerivedLines(report);
    this.#addGuarded();
  }

  get findings(): readonly Finding[] {
    return this.#derived.findings;
  }

  get guarded(): number {
    return Object.values(this.counts).reduce((sum, count) => sum + count, 0);
  }

  matched(line: MatchedLine): void {
    this.#derived.matched(line, this.#ledger.pending.length);
  }

  observed(line: ObservedLine): void {
    const { observed } = line;
    if (observed?.of === 'watermark') {
      this.#derived.watermark(line);
      return;
    }
    this.#derived.requireNoneOpen();
    if (observed?.of === 'transaction') {
      this.#transaction(line, observed.body);
    }
  }

  decided(line: DecidedLine): void {
    if (isCut(line)) {
      this.#derived.compare(this.#judgePending(line.appendTimeMs), line.line);
      this.#dropAt(line.appendTimeMs);
      this.#guardedSince = new Map();
    } else {
      this.#derived.requireNoneOpen();
    }
    // A policy that this line put in force guards from here on.
    this.#addGuarded();
    this.#addGrants(line);
  }

  #addGuarded(): void {
    for (const [sourceId, relations] of this.#ledger.guarded) {
      const known = this.#guardedSince.get(sourceId);
      if (known === undefined) {
        this.#guardedSince.set(sourceId, new Set(relations));
      } else if (known.size < relations.size || [...relations].some((relation) => !known.has(relation))) {
        this.#guardedSince.set(sourceId, new Set([...known, ...relations]));
      }
    }
  }

  #transaction(line: ObservedLine, body: BodyOf<'transaction'>): void {
    this.observations += 1;
    const { source_id: sourceId, observation_id: observationId } = line.observation.read;
    const relations = line.observation.value.relations as unknown as Pending['relations'];
    const touched = touchedOf(relations, this.#guardedSince.get(sourceId));
    if (touched.length === 0) {
      return;
    }
    const pending: Pending = {
      observation_id: observationId,
      leaf: line.leaf,
      append_time: line.appendTimeMs,
      source_id: sourceId,
      committed_at: body.committed_at,
      relations: touched.map(withoutRows),
      token_hashes: body.token_hashes,
    };
    const bytes = lineBytesOf('pending', pending);
    if (this.#ledger.pendingBytes + bytes > PENDING_BYTES_MAX) {
      this.unjudged += 1;
      return;
    }
    this.#ledger.pending.push(pending);
    this.#ledger.pendingBytes += bytes;
  }

  #addGrants(line: DecidedLine): void {
    const { event_id, receipt_id, decided_at: notBefore } = line.receipt.read;
    for (const { token_hash, source_id, relations, operations, rows_max, expires_at } of line.grants) {
      this.#noteUnobserved(source_id);
      if (this.#ledger.grants.has(token_hash)) {
        continue;
      }
      const grant: Grant = {
        token_hash,
        source_id,
        relations,
        operations,
        rows_max,
        expires_at,
        event_id,
        receipt_id,
        not_before: notBefore,
        used_by: null,
      };
      const bytes = lineBytesOf('grant', grant);
      if (this.#ledger.grantBytes + bytes > GRANT_BYTES_MAX) {
        this.grantsForgotten += 1;
        continue;
      }
      this.#ledger.grants.set(token_hash, grant);
      this.#ledger.grantBytes += bytes;
    }
  }

  #noteUnobserved(sourceId: string): void {
    const source = this.#ledger.sources.get(sourceId);
    if (this.#ledger.guarded.has(sourceId) && source !== undefined && source.coverage === null) {
      this.unobserved += 1;
    }
  }

  #judgePending(cutMs: number): readonly Match[] {
    const ledger = this.#ledger;
    const matches: Match[] = [];
    const left: Pending[] = [];
    for (const pending of ledger.pending) {
      if (pending.append_time > cutMs) {
        left.push(pending);
        continue;
      }
      const unusedBefore = pending.token_hashes
        .map((token) => ledger.grants.get(token))
        .filter((grant) => grant?.used_by === null);
      const match = judge(pending, ledger.grants);
      // A grant that is used has a longer line: its user stands in it.
      for (const grant of new Set(unusedBefore)) {
        ledger.grantBytes +=
          grant?.used_by == null ? 0 : Buffer.byteLength(JSON.stringify(grant.used_by)) - 'null'.length;
      }
      ledger.pendingBytes -= lineBytesOf('pending', pending);
      matches.push(match);
      this.counts[match.status] += 1;
    }
    ledger.pending = left;
    return matches;
  }

  #dropAt(cutMs: number): void {
    const ledger = this.#ledger;
    for (const [token, grant] of ledger.grants) {
      const coversUntil = ledger.sources.get(grant.source_id)?.watermark?.covers_until ?? 0;
      if (coversUntil > grant.expires_at + GRANT_SEEN_MS || grant.expires_at + GRANT_KEPT_MS < cutMs) {
        ledger.grants.delete(token);
        ledger.grantBytes -= lineBytesOf('grant', grant);
      }
    }
    ledger.delegations = ledger.delegations.filter(({ command }) => (validToOf(command) ?? 0) >= cutMs);
  }
}

function withoutRows(relation: Relation): Relation {
  const { rows_digest: _rows, ...rest } = relation as Relation & { readonly rows_digest?: unknown };
  return rest;
}
