// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { formatLsn } from '@clyra/adapter-postgres/lsn';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { ReadBackRequest } from '../log/read-back.ts';
import { type Coverage, coverageDraft } from '../observation/coverage-body.ts';
import type { Incarnation, ObservationDraft, TransactionDraft } from '../observation/observation-draft.ts';
import type { ObservationWriter } from '../observation/observation-writer.ts';
import { gapDraft, watermarkDraft } from '../observation/position-bodies.ts';
import type { HistoryPass, HistorySource, Resume } from './history-source.ts';
import { gapKey, type LogBook } from './log-book.ts';
import { type HistoryGap, type ObservedStatement, placeOf } from './observed-statement.ts';
import { catchUp, readLogBook } from './read-log-book.ts';
import { statementDraft } from './statement-body.ts';

export type SessionEvents = {
  readonly onStatement: (draft: TransactionDraft, statement: ObservedStatement) => void;
  readonly onWatermark: (coversUntilMs: number) => void;
  readonly onGap: (gap: HistoryGap, detectedAtMs: number) => void;
  readonly onCoverage: () => void;
};

export type WarehouseSessionOptions = {
  readonly source: HistorySource;
  readonly book: ReadBackRequest;
  readonly writer: ObservationWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly digestKeyOf: (isFirst: boolean) => Promise<KeyObject>;
  /** What the source was registered as. */
  readonly systemId: string;
  /** What another recorder had on its way when this one took over has reached the log after so long, or never will. */
  readonly settleMs: number;
  readonly events: SessionEvents;
};

/**
 * The recording of one warehouse by one recorder, from its taking over to its first failure. A warehouse has no slot
 * that admits one reader only: each recorder writes under a timeline of its own, and the newest one stays.
 */
export class WarehouseSession {
  readonly #options: WarehouseSessionOptions;
  #book: LogBook | undefined;
  #key: KeyObject | undefined;
  #timeline = 0;
  #position = 0n;
  #covered: string | undefined;
  /** What was observed before the pass that is to come. */
  #coveredBefore: ReadonlySet<string> = new Set();
  /** Of the pass before: it dies with the session, so nothing is passed over that the log does not have. */
  #resume: Resume = new Map();
  /** Ids of what this session wrote, of this pass and the one before: a send may be stored twice, the second time late. */
  #written = new Set<string>();
  #writtenBefore: ReadonlySet<string> = new Set();

  constructor(options: WarehouseSessionOptions) {
    this.#options = options;
  }

  get incarnation(): Incarnation | undefined {
    return this.#book === undefined ? undefined : { systemId: this.#options.systemId, timeline: this.#timeline };
  }

  get position(): bigint {
    return this.#position;
  }

  /** Reads the log back, says under a new timeline what is observed, and reads what came until then. */
  async open(): Promise<void> {
    const { source, book: request, clock, systemId, digestKeyOf } = this.#options;
    const facts = await source.facts();
    if (facts.systemId !== systemId) throw otherSystem(systemId, facts.systemId);
    const book = await readLogBook(request, source);
    this.#key = await digestKeyOf(book.timeline === 0);
    book.beganMs ??= facts.nowMs;
    this.#book = book;
    this.#coveredBefore = book.covered;
    this.#timeline = book.timeline + 1;
    await this.#cover(await source.coverage());
    await sleep(clock, this.#options.settleMs);
    await this.#standAlone();
    this.#position = book.position;
  }

  /** One look at the history, and everything it gave into the log. */
  async pass(): Promise<HistoryPass> {
    const { source } = this.#options;
    const book = this.#opened();
    await this.#standAlone();
    const { nowMs, systemId } = await source.facts();
    if (systemId !== this.#options.systemId) throw otherSystem(this.#options.systemId, systemId);
    const beganMs = book.beganMs ?? nowMs;
    const pass = await source.read({
      nowMs,
      beganMs,
      horizonMs: book.horizonMs ?? beganMs,
      isKnown: (id) => book.isKnown(id),
      newestTold: (table) => book.newestTold(table),
      wasSetBack: (table) => book.wasSetBack(table),
      covered: this.#coveredBefore,
      resume: this.#resume,
    });
    // Until all of it is in the log.
    this.#resume = new Map();
    for (const gap of pass.gaps) await this.#gap(gap, nowMs);
    await this.#cover(await source.coverage());
    await this.#statements(pass.statements);
    await this.#watermark(pass.coversUntilMs);
    this.#coveredBefore = book.covered;
    this.#resume = pass.resume;
    book.forgetBefore((book.horizonMs ?? beganMs) - source.overlapMs);
    return pass;
  }

  /** Throws CLY_RECORDER_TAKEN_OVER where the log shows a newer recorder of this source, or an equal one. */
  async #standAlone(): Promise<void> {
    const { book: request } = this.#options;
    const book = this.#opened();
    const own = this.#timeline;
    const seen = await catchUp(request, book);
    const isOthers = seen.some(({ body }) => body['timeline'] === own && !this.#wrote(String(body['observation_id'])));
    if (book.timeline > own || isOthers) throw takenOver(own, book.timeline);
    if (book.position > this.#position) this.#position = book.position;
    this.#writtenBefore = this.#written;
    this.#written = new Set();
  }

  #wrote(observationId: string): boolean {
    return this.#written.has(observationId) || this.#writtenBefore.has(observationId);
  }

  async #cover(coverage: Coverage): Promise<void> {
    const { book: request, events, systemId } = this.#options;
    const book = this.#opened();
    const text = JSON.stringify(coverage);
    if (text === this.#covered) return;
    const lsn = placeOf(Math.max(book.beganMs ?? 0, book.horizonMs ?? 0));
    const draft = coverageDraft(request.identity, { systemId, timeline: this.#timeline, lsn }, coverage);
    await this.#write(draft);
    this.#covered = text;
    events.onCoverage();
  }

  async #gap(gap: HistoryGap, detectedAtMs: number): Promise<void> {
    const { book: request, logger, events, systemId } = this.#options;
    const book = this.#opened();
    if (book.isKnown(gapKey(gap))) return;
    logger.error('changes were not observed', { source_id: request.identity.sourceId, ...gap });
    const before = { systemId, timeline: this.#timeline };
    const facts = { before, fromLsn: gap.from, toLsn: gap.to, reason: gap.reason, detectedAtMs };
    await this.#write(gapDraft(request.identity, facts));
    book.knowGap(gap, detectedAtMs);
    events.onGap(gap, detectedAtMs);
  }

  async #statements(statements: readonly ObservedStatement[]): Promise<void> {
    const { book: request, events, systemId } = this.#options;
    const book = this.#opened();
    const key = this.#key as KeyObject;
    const written = statements.map(async (statement) => {
      this.#position += 1n;
      const place = { systemId, timeline: this.#timeline, position: this.#position };
      const draft = statementDraft(request.identity, place, { statement, key });
      await this.#write(draft);
      book.knowStatement(statement);
      events.onStatement(draft, statement);
    });
    await settled(written);
  }

  /** Behind everything it covers; one that says nothing new is left out. */
  async #watermark(coversUntilMs: number): Promise<void> {
    const { book: request, events, systemId } = this.#options;
    const book = this.#opened();
    if (coversUntilMs <= (book.horizonMs ?? book.beganMs ?? 0)) return;
    const lsn = formatLsn(this.#position);
    await this.#write(watermarkDraft(request.identity, { systemId, timeline: this.#timeline, lsn, coversUntilMs }));
    book.horizonMs = coversUntilMs;
    events.onWatermark(coversUntilMs);
  }

  async #write(draft: ObservationDraft): Promise<void> {
    const { writer, book: request } = this.#options;
    this.#written.add(draft.observationId);
    await writer.write(draft, request.partition);
  }

  #opened(): LogBook {
    if (this.#book === undefined) throw new Error('a session is opened before it is used');
    return this.#book;
  }
}

/** All end before the first failure is passed on: none may go on behind the back of the next attempt. */
async function settled(work: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(work);
  const failed = ends.find((end) => end.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

function takenOver(own: number, newest: number): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_TAKEN_OVER',
    'another recorder reads this warehouse: this one waits until that one is silent. Run one recorder for each warehouse.',
    { retry: 'backoff', context: { timeline: own, newest_timeline: newest } },
  );
}

function otherSystem(registered: string, found: string): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_OTHER_SYSTEM',
    'The warehouse is not the one that was registered under this source id. Register it under a new one.',
    { retry: 'never', context: { registered, found } },
  );
}
