// SPDX-License-Identifier: Apache-2.0
import type { BodyOf } from '../journal/bodies.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import type { JsonObject } from '../json/json-value.ts';
import { COVERED_MAX, type Ledger, SEEN_MAX, SOURCES_MAX } from '../ledger/ledger.ts';
import { allowedCommand } from './bindings.ts';
import type { Report } from './report.ts';

/** What a manifest lists of gaps and of outages. */
const LISTED_MAX = 1_024;
/** Sources that are written into the ledger; the kinds below the line of records.md §6 have writers instead. */
const OF_SOURCES: ReadonlySet<string> = new Set(['transaction', 'watermark', 'gap', 'coverage']);

/** Follows what is known of each source, and what it could not see. */
export class SourceCheck {
  readonly gaps: JsonObject[] = [];
  readonly outages: JsonObject[] = [];
  /** Of the range, by source. */
  readonly gapCounts: Map<string, number> = new Map();
  readonly #ledger: Ledger;
  readonly #report: Report;

  constructor(ledger: Ledger, report: Report) {
    this.#ledger = ledger;
    this.#report = report;
  }

  decided(line: DecidedLine): void {
    const sourceId = allowedCommand(line, 'source.registered')?.source_id;
    if (typeof sourceId === 'string' && this.#mayKnow(sourceId, line.line)) {
      this.#ledger.source(sourceId).registered = true;
    }
  }

  observed(line: ObservedLine): void {
    const { source_id: sourceId, kind } = line.observation.read;
    this.#requireNew(line);
    if (OF_SOURCES.has(kind) && !this.#mayKnow(sourceId, line.line)) {
      return;
    }
    switch (line.observed?.of) {
      case 'transaction':
        this.#ledger.source(sourceId).newest = positionOf(line.observed.body);
        break;
      case 'watermark': {
        const { lsn, covers_until } = line.observed.body;
        this.#ledger.source(sourceId).watermark = { lsn, covers_until };
        break;
      }
      case 'gap':
        this.#gap(sourceId, line.observed.body);
        break;
      case 'coverage':
        this.#coverage(line, line.observed.body);
        break;
      case 'outage':
        this.#outage(sourceId, line.observed.body);
        break;
      default:
        break;
    }
    if (kind !== 'transaction' && kind !== 'watermark') {
      this.#see(`${sourceId}\n${kind}`, line);
    }
  }

  /** A leaf stands once: what a recorder sent again is left out (journal.md §2). */
  #requireNew(line: ObservedLine): void {
    const { source_id: sourceId, kind, observation_id: id } = line.observation.read;
    const isRepeated =
      line.observed?.of === 'transaction'
        ? this.#isBehind(sourceId, line.observed.body)
        : kind !== 'watermark' && this.#ledger.seen.get(`${sourceId}\n${kind}`) === id;
    if (isRepeated) {
      const at = { line: line.line, member: 'observation.body.observation_id' };
      this.#report({
        claim: 'order',
        code: 'CLY_ORDER_REPEATED',
        at,
        message: 'is a repetition of what stands before',
      });
    }
  }

  #isBehind(sourceId: string, body: BodyOf<'transaction'>): boolean {
    const newest = this.#ledger.sources.get(sourceId)?.newest ?? null;
    const isSame = newest?.system_id === body.system_id && newest.timeline === body.timeline;
    return isSame && isUpTo(body.commit_end_lsn, newest.lsn);
  }

  #see(key: string, line: ObservedLine): void {
    if (this.#ledger.seen.size >= SEEN_MAX && !this.#ledger.seen.has(key)) {
      this.#limit(line.line, `more than ${SEEN_MAX} writers and kinds of observations`);
    } else {
      this.#ledger.seen.set(key, line.observation.read.observation_id);
    }
  }

  #mayKnow(sourceId: string, line: number): boolean {
    if (this.#ledger.sources.has(sourceId) || this.#ledger.sources.size < SOURCES_MAX) {
      return true;
    }
    this.#limit(line, `there are more than ${SOURCES_MAX} sources`);
    return false;
  }

  #limit(line: number, message: string): void {
    this.#report({ claim: 'integrity', code: 'CLY_LEDGER_LIMIT', at: { line }, message });
  }

  #gap(sourceId: string, { from_lsn, to_lsn, reason }: BodyOf<'gap'>): void {
    this.#ledger.source(sourceId);
    this.gapCounts.set(sourceId, (this.gapCounts.get(sourceId) ?? 0) + 1);
    if (this.gaps.length < LISTED_MAX) {
      this.gaps.push({ source_id: sourceId, from_lsn, to_lsn, reason });
    }
  }

  #outage(sourceId: string, body: BodyOf<'outage'>): void {
    if (this.outages.length < LISTED_MAX) {
      const { component, failed_at, detected_at, restored_at, cause, changes_refused } = body;
      this.outages.push({
        source_id: sourceId,
        component,
        failed_at,
        detected_at,
        restored_at,
        cause,
        changes_refused,
      });
    }
  }

  #coverage(line: ObservedLine, body: BodyOf<'coverage'>): void {
    const source = this.#ledger.source(line.observation.read.source_id);
    const relations = [...new Set(body.relations)].sort();
    const all = [...this.#ledger.sources.values()].reduce((sum, one) => sum + one.covered.length, 0);
    if (all - source.covered.length + relations.length > COVERED_MAX) {
      this.#limit(line.line, `more than ${COVERED_MAX} relations are covered`);
      return;
    }
    source.coverage = { observation_id: line.observation.read.observation_id, scope: body.scope, lsn: body.lsn };
    source.covered = relations;
    source.blindSpots = blindSpotsOf(body);
  }
}

function positionOf(body: BodyOf<'transaction'>) {
  return { system_id: body.system_id, timeline: body.timeline, lsn: body.commit_end_lsn };
}

function blindSpotsOf(body: BodyOf<'coverage'>): readonly { code: string; relation: string | null }[] {
  const byKey = new Map<string, { code: string; relation: string | null }>();
  for (const { code, relation } of body.blind_spots) {
    byKey.set(`${code}\n${relation === undefined ? '' : `\u0001${relation}`}`, { code, relation: relation ?? null });
  }
  return [...byKey].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, spot]) => spot);
}

/** Whether X/Y is the number X·2³² + Y or below that of another. */
function isUpTo(lsn: string, other: string): boolean {
  if (lsn.length === other.length && lsn.indexOf('/') === other.indexOf('/')) {
    return lsn <= other;
  }
  const [high = '0', low = '0'] = lsn.split('/');
  const [otherHigh = '0', otherLow = '0'] = other.split('/');
  const difference = Number.parseInt(high, 16) - Number.parseInt(otherHigh, 16);
  return difference < 0 || (difference === 0 && Number.parseInt(low, 16) <= Number.parseInt(otherLow, 16));
}
