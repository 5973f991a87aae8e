// SPDX-License-Identifier: Apache-2.0
import type { MatchedLine, ObservedLine } from '../journal/line.ts';
import { differingMember } from '../json/differing-member.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { Match, MatchStatus } from '../ledger/judge.ts';
import type { Report } from './report.ts';

const LISTED_MAX = 20;

/** An observation that was not matched. */
export interface Finding {
  readonly status: Exclude<MatchStatus, 'matched'>;
  readonly observationId: string;
  readonly leaf: number;
  readonly line: number;
  readonly reason: string;
  readonly eventId: string | null;
}

/** The lines that stand directly before a cut, and whether they are the ones that must (journal.md §2). */
export class DerivedLines {
  readonly findings: Finding[] = [];
  readonly #report: Report;
  /** The watermarks that stand since the last other line: where they begin, and the source of the last. */
  #watermarks: { readonly line: number; readonly lastSource: string } | null = null;
  #matches: MatchedLine[] = [];

  constructor(report: Report) {
    this.#report = report;
  }

  matched(line: MatchedLine, pendingCount: number): void {
    if (line.read.leaf < (this.#matches.at(-1)?.read.leaf ?? 0)) {
      this.#fail('CLY_RECONCILE_PLACE', { line: line.line }, 'stands behind one of a later leaf');
    }
    if (this.#matches.length >= pendingCount) {
      this.#extra(line);
    } else {
      this.#matches.push(line);
    }
  }

  watermark(line: ObservedLine): void {
    const sourceId = line.observation.read.source_id;
    const before = this.#watermarks;
    if (this.#matches.length > 0 || (before !== null && before.lastSource >= sourceId)) {
      const message = 'watermarks stand in ascending order of source_id, before the matched lines';
      this.#fail('CLY_RECONCILE_PLACE', { line: line.line }, message);
    }
    this.#watermarks = { line: before?.line ?? line.line, lastSource: sourceId };
  }

  requireNoneOpen(): void {
    const stray = this.#watermarks ?? this.#matches[0];
    if (stray !== undefined) {
      this.#fail('CLY_RECONCILE_PLACE', { line: stray.line }, 'does not stand directly before a cut');
      this.#watermarks = null;
      this.#matches = [];
    }
  }

  /** Both lists rise by leaf; of equal length they pair as they stand, so that a wrong leaf is placed on its line. */
  compare(expected: readonly Match[], cutLine: number): void {
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
        this.#fail('CLY_RECONCILE_MISSING', { line: cutLine }, message);
        this.#list(match, cutLine);
        continue;
      }
      next += 1;
      this.#list(match, line.line);
      this.#compareOne(match as unknown as JsonObject, line);
    }
    for (const line of this.#matches.slice(next)) {
      this.#extra(line);
    }
    this.#watermarks = null;
    this.#matches = [];
  }

  #compareOne(match: JsonObject, line: MatchedLine): void {
    const member = differingMember(match, line.value);
    if (member !== null) {
      const message = `must be ${encodeCanonical(match[member] ?? null)}`;
      this.#fail('CLY_RECONCILE_LINE', { line: line.line, member }, message);
    }
  }

  #extra(line: MatchedLine): void {
    this.#fail('CLY_RECONCILE_EXTRA', { line: line.line }, 'judges no pending observation');
  }

  #list(match: Match, line: number): void {
    if (match.status !== 'matched' && this.findings.length < LISTED_MAX) {
      const { status, observation_id: observationId, leaf, reason, event_id: eventId } = match;
      this.findings.push({ status, observationId, leaf, line, reason, eventId });
    }
  }

  #fail(code: string, at: { line: number; member?: string }, message: string): void {
    this.#report({ claim: 'reconciliation', code, at, message });
  }
}
