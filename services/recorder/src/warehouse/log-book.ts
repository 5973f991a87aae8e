// SPDX-License-Identifier: Apache-2.0
import { parseLsn } from '@clyra/adapter-postgres/lsn';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { ToldVersion } from './history-source.ts';
import {
  commitKey,
  type HistoryGap,
  type ObservedStatement,
  SET_BACK,
  STATEMENT_MISSING,
  timeOfPlace,
} from './observed-statement.ts';

/** Ids of statements and gaps in reach of a second look. Beyond it the source waits: a forgotten id would be told twice. */
const KNOWN_COUNT_MAX = 1_000_000;

/**
 * What clyra.observations says of a warehouse: it is all the state its recorder has. Statements are numbered in the
 * order in which they were written, so a number says nothing about time; an id says which are written.
 */
export class LogBook {
  /** The newest incarnation of the source's recorders; 0 before the first. */
  timeline = 0;
  /** Of the newest statement. */
  position = 0n;
  systemId: string | undefined;
  /** Where observation began, and how far it came. Milliseconds, the warehouse's clock. */
  beganMs: number | undefined;
  horizonMs: number | undefined;
  /** What the newest coverage lists. */
  covered: ReadonlySet<string> = new Set();
  /** Offset after the last record that was looked at. */
  nextOffset = 0;
  /** Append time of the newest record of the source. */
  newestAppendMs = 0;
  /** By id of statement or text of gap, when it was committed or found. */
  readonly #known = new Map<string, number>();
  /** The same statements by the commit that they were, one key at most for each. */
  readonly #commits = new Map<string, number>();
  /** By table. */
  readonly #newestTold = new Map<string, ToldVersion>();
  readonly #setBack = new Set<string>();
  #newest = { timeline: 0, position: 0n };

  get knownCount(): number {
    return this.#known.size;
  }

  /** `id` may be that of a statement, the text of a gap, or a `commitKey`. */
  isKnown(id: string): boolean {
    return this.#known.has(id) || this.#commits.has(id);
  }

  /** Throws CLY_RECORDER_HISTORY_FULL. */
  know(id: string, atMs: number): void {
    if (this.#known.size >= KNOWN_COUNT_MAX && !this.#known.has(id)) throw full();
    this.#known.set(id, atMs);
  }

  newestTold(table: string): ToldVersion | undefined {
    return this.#newestTold.get(table);
  }

  wasSetBack(table: string): boolean {
    return this.#setBack.has(table);
  }

  knowGap(gap: HistoryGap, atMs: number): void {
    this.know(gapKey(gap), atMs);
    if (gap.reason === SET_BACK) this.#setBack.add(gap.from.slice(0, gap.from.lastIndexOf('@')));
  }

  knowStatement({
    id,
    table,
    committedAtMs: atMs,
    logDigest,
  }: Pick<ObservedStatement, 'id' | 'table' | 'committedAtMs' | 'logDigest'>): void {
    this.know(id, atMs);
    if (table === undefined) return;
    const version = Number(id.slice(id.lastIndexOf('@') + 1));
    this.#commits.set(commitKey(table, version, atMs), atMs);
    if (version < (this.#newestTold.get(table)?.version ?? 0)) return;
    this.#newestTold.set(table, { version, atMs, ...(logDigest === undefined ? {} : { logDigest }) });
  }

  /** What no second look can reach any more is forgotten. */
  forgetBefore(ms: number): void {
    for (const known of [this.#known, this.#commits]) {
      for (const [id, atMs] of known) if (atMs < ms) known.delete(id);
    }
  }

  /** One observation of the source, in the order of the log. */
  take(body: JsonObject, appendTimeMs: number): void {
    this.newestAppendMs = appendTimeMs;
    const timeline = body['timeline'];
    if (typeof timeline === 'number') this.timeline = Math.max(this.timeline, timeline);
    if (typeof body['system_id'] === 'string') this.systemId = body['system_id'];
    switch (body['kind']) {
      case 'transaction':
        this.#statement(body);
        break;
      case 'watermark':
        this.horizonMs = Math.max(this.horizonMs ?? 0, Number(body['covers_until']));
        break;
      case 'coverage':
        this.#coverage(body);
        break;
      case 'gap':
        this.knowGap(
          { from: String(body['from_lsn']), to: String(body['to_lsn']), reason: String(body['reason']) },
          Number(body['detected_at']),
        );
        break;
      default:
    }
  }

  /** As the journal reads them (docs/spec/journal.md §2): a number that is not above the one before is a repetition. */
  #statement(body: JsonObject): void {
    const position = parseLsn(String(body['commit_end_lsn']));
    const timeline = Number(body['timeline']);
    if (timeline === this.#newest.timeline && position <= this.#newest.position) return;
    this.#newest = { timeline, position };
    if (position > this.position) this.position = position;
    const { id, table, log_digest: logDigest } = (body['statement'] ?? {}) as JsonObject;
    if (typeof id !== 'string') return;
    this.knowStatement({
      id,
      committedAtMs: Number(body['committed_at']),
      ...(typeof table === 'string' ? { table } : {}),
      ...(typeof logDigest === 'string' ? { logDigest } : {}),
    });
  }

  #coverage(body: JsonObject): void {
    this.beganMs ??= timeOfPlace(String(body['lsn']));
    this.covered = new Set(body['relations'] as readonly string[]);
  }
}

/** A gap is signed once: the same one found again is the same text. A missing statement is one under whatever time it is named. */
export function gapKey(gap: HistoryGap): string {
  if (gap.reason === STATEMENT_MISSING) return `${gap.reason} ${gap.to}`;
  return `${gap.reason} ${gap.from} ${gap.to}`;
}

function full(): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_HISTORY_FULL',
    `more than ${KNOWN_COUNT_MAX} statements are in reach of a second look: shorten overlap_minutes of the source`,
    { retry: 'never', context: { count_max: KNOWN_COUNT_MAX } },
  );
}
