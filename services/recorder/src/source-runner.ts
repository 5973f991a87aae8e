// SPDX-License-Identifier: Apache-2.0
import { requireUsable, type SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { GapKeeper } from './gap-keeper.ts';
import { coverageOf } from './observation/coverage-body.ts';
import type { SourceIdentity, TransactionDraft } from './observation/observation-draft.ts';
import { ObservationWriter } from './observation/observation-writer.ts';
import { Pause } from './pause.ts';
import { newestObservation } from './position/newest-observation.ts';
import { SourcePosition } from './position/source-position.ts';
import { PublicationKeeper } from './publication-keeper.ts';
import type { Registration } from './registration/source-registrations.ts';
import type { DigestKeys } from './source/digest-keys.ts';
import type { SourcePort } from './source/source-port.ts';
import { SourceFigures, type SourceState } from './source-figures.ts';
import { SourceWatch } from './source-watch.ts';
import { StreamSession } from './stream-session.ts';

export type RunnerOptions = {
  readonly identity: SourceIdentity;
  readonly source: SourcePort;
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** clyra.observations. */
  readonly topic: string;
  readonly digestKeys: DigestKeys;
  /** Where it is kept how each publication showed what is guarded. */
  readonly positions: PositionStore;
  /** May publications and slots be made. */
  readonly mayPrepare: boolean;
  readonly watermarkIntervalMs: number;
  readonly logDeadlineMs: number;
  /** What keeps the source from being recorded; undefined when nothing does. */
  readonly onReason: (reason: string | undefined) => void;
  /** A transaction that is in the log now. */
  readonly onTransaction: (draft: TransactionDraft) => void;
};

const RETRY_MIN_MS = 250;
/** A gap is to be signed within ten seconds of when the source can be asked again, its detection included. */
const RETRY_MAX_MS = 4_000;
/** Where only a person can help, and may do so at any time. */
const RETRY_REFUSED_MS = 4_000;
const REPEAT_LOG_MS = 60_000;
const GIVE_UP_MS = 100;

/** Records one source for as long as it runs: every failure ends in a new attempt, and readiness says why. */
export class SourceRunner {
  readonly figures: SourceFigures;
  readonly #options: RunnerOptions;
  readonly #pause: Pause;
  readonly #publication: PublicationKeeper;
  readonly #stopping = new AbortController();
  #position = new SourcePosition();
  #writer: ObservationWriter | undefined;
  #gaps: GapKeeper | undefined;
  #session: StreamSession | undefined;
  #watch: SourceWatch | undefined;
  #running: Promise<void> | undefined;
  readonly #troubles = new Map<string, string>();
  #logged = { code: '', atMs: 0 };

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#pause = new Pause(options.clock);
    const { identity, positions, clock } = options;
    this.figures = new SourceFigures(identity, clock);
    const onTrouble = (error: ClyraError | undefined): void => this.#setTrouble('the publication', error);
    this.#publication = new PublicationKeeper({ identity, positions, clock, onTrouble });
  }

  start(registration: Registration): void {
    this.figures.partition = registration.partition;
    this.#setState('connecting', 'connecting to the source');
    this.#running ??= this.#run(registration);
  }

  /** Sends what it holds, tells PostgreSQL, and leaves the slot. */
  async stop(deadlineMs: number): Promise<void> {
    const { clock, source } = this.#options;
    this.#stopping.abort();
    this.#watch?.end();
    this.#session?.quiesce();
    await this.#writer?.close(deadlineMs);
    await this.#session?.close();
    this.#pause.end();
    // A source that does not answer keeps an attempt waiting; the process need not.
    const late = new Pause(clock);
    await Promise.race([this.#running, late.sleep(deadlineMs)]);
    late.end();
    await source.close();
    this.#setState('stopped', undefined);
  }

  async #run(registration: Registration): Promise<void> {
    let waitMs = RETRY_MIN_MS;
    while (!this.#stopping.signal.aborted) {
      try {
        this.#session = await this.#connect(registration);
        waitMs = RETRY_MIN_MS;
        this.#troubles.clear();
        this.#setState('streaming', undefined);
        this.#options.logger.info('source is recorded', { source_id: this.#options.identity.sourceId });
        await Promise.race([this.#session.ended, this.#pause.ended]);
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (this.#stopping.signal.aborted) break;
        await this.#onFailure(error);
        await this.#pause.sleep(error.retry === 'never' ? RETRY_REFUSED_MS : waitMs);
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
      }
    }
    await this.#session?.close();
  }

  async #onFailure(error: ClyraError): Promise<void> {
    this.#setState('connecting', `${error.code}: ${error.message}`);
    this.#logOnce(error);
    this.#watch?.end();
    await this.#session?.close();
    this.#session = undefined;
    if (this.#writer?.isBroken !== true) return;
    // What was on its way is in doubt: the log alone says where to go on.
    await this.#writer.close(GIVE_UP_MS);
    this.#writer = undefined;
    this.#gaps = undefined;
    this.#position = new SourcePosition();
  }

  /**
   * The slot is read before the log: whoever confirms it writes the log first, so a slot ahead of the log is a gap and
   * never just a recorder that was faster. After the stream is open nobody else has the slot, and the log is read once
   * more: what another recorder wrote until then is not written again.
   */
  async #connect(registration: Registration): Promise<StreamSession> {
    const { source, identity, digestKeys, clock, watermarkIntervalMs } = this.#options;
    const { partition } = registration;
    const writer = this.#openWriter();
    const facts = await source.inspect();
    if (facts.slot?.isActive === true) {
      await this.#publication.wait(facts);
      throw slotInUse();
    }
    this.#position.adopt(await this.#newest(partition));
    const usable = await this.#makeUsable(facts, registration);
    const digestKey = await digestKeys.keyOf(identity.tenant, this.#position.checkpoint === undefined);
    const session = new StreamSession({
      identity,
      partition,
      source,
      position: this.#position,
      writer,
      clock,
      watermarkIntervalMs,
      publicationState: usable.publicationState,
      events: this.#events(),
    });
    try {
      await session.open(digestKey);
      this.#position.adopt(await this.#newest(partition));
    } catch (error) {
      await session.close();
      throw error;
    }
    this.figures.position = this.#position;
    session.goLive(coverageOf(usable));
    this.#watch = new SourceWatch(session, {
      source,
      clock,
      onTrouble: (error) => this.#setTrouble('coverage', error),
    });
    return session;
  }

  async #makeUsable(facts: SourceFacts, { systemId, partition }: Registration): Promise<SourceFacts> {
    const isRegistered = facts.system.systemId === systemId;
    const { mayPrepare, source } = this.#options;
    const gaps = this.#keeper(partition);
    let usable = await gaps.check(facts, { position: this.#position, mayPrepare: mayPrepare && isRegistered });
    if (!isRegistered) throw otherSystem(systemId, facts.system.systemId);
    if (this.#position.isSetBack) throw setBack();
    const isNew = this.#position.checkpoint === undefined;
    const lacks = facts.slot === null || facts.publication === null;
    if (isNew && lacks && mayPrepare) usable = await source.prepare();
    // Before the refusal: what is hidden now is hidden from here on, whenever somebody repairs it.
    if (!isNew) await this.#checkPublication(usable, gaps);
    requireUsable(usable);
    if (isNew) await this.#publication.adopt(usable);
    return usable;
  }

  async #checkPublication(facts: SourceFacts, gaps: GapKeeper): Promise<void> {
    const hidden = await this.#publication.breakOf(facts, this.#position.durableText ?? facts.system.currentLsn);
    if (hidden === undefined) return;
    await gaps.recordHidden(hidden, facts, this.#position);
    await this.#publication.adopt(facts);
  }

  #events(): ConstructorParameters<typeof StreamSession>[0]['events'] {
    const { figures } = this;
    return {
      onPublished: (kind, commitTimeMs) => {
        figures.published(kind, commitTimeMs);
        this.#setTrouble('the log', undefined);
      },
      onTransaction: (draft) => this.#options.onTransaction(draft),
      onRepeated: () => figures.repeated(),
      onWatermark: (coversUntilMs) => {
        figures.coversUntilMs = coversUntilMs;
      },
      onShown: ({ systemId, publicationState, lsn }) => {
        this.#publication.seen({ system_id: systemId, state: publicationState, lsn });
      },
      onMarkTrouble: (error) => this.#setTrouble('watermarks', error),
    };
  }

  #openWriter(): ObservationWriter {
    const { log, codec, signer, clock, topic, identity } = this.#options;
    this.#writer ??= new ObservationWriter({
      log,
      codec,
      signer,
      clock,
      topic,
      name: `recorder-${identity.sourceId}`,
      onTrouble: (error) => this.#setTrouble('the log', error),
    });
    this.figures.writer = this.#writer;
    return this.#writer;
  }

  #keeper(partition: number): GapKeeper {
    const { identity, source, clock, logger } = this.#options;
    this.#gaps ??= new GapKeeper({
      identity,
      partition,
      source,
      clock,
      logger,
      writer: this.#openWriter(),
      onGap: (gap) => this.figures.gap(gap),
    });
    return this.#gaps;
  }

  #newest(partition: number): ReturnType<typeof newestObservation> {
    const { log, codec, clock, topic, identity, logDeadlineMs } = this.#options;
    const { signal } = this.#stopping;
    return newestObservation({ log, codec, clock, topic, partition, identity, deadlineMs: logDeadlineMs, signal });
  }

  /** What goes wrong beside a stream that runs: it is tried again there, and shown here. */
  #setTrouble(what: string, error: ClyraError | undefined): void {
    if (error !== undefined) {
      this.#logOnce(error);
      this.#troubles.set(what, `${error.code}: ${error.message}`);
    } else if (!this.#troubles.delete(what)) return;
    if (this.figures.state !== 'streaming') return;
    const reasons = [...this.#troubles].map(([name, reason]) => `${name}: ${reason}`);
    this.#setState('streaming', reasons.length === 0 ? undefined : reasons.join('; '));
  }

  #setState(state: SourceState, reason: string | undefined): void {
    this.figures.state = state;
    this.figures.reason = reason;
    this.#options.onReason(reason);
  }

  #logOnce({ code, message }: ClyraError): void {
    const { clock, logger, identity } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#logged.code === code && nowMs - this.#logged.atMs < REPEAT_LOG_MS) return;
    this.#logged = { code, atMs: nowMs };
    logger.warn('source is not fully recorded, trying again', { source_id: identity.sourceId, code, detail: message });
  }
}

function slotInUse(): ClyraError {
  return new ClyraError(
    'CLY_SOURCE_SLOT_IN_USE',
    'Another session reads the slot: this recorder takes over when that one ends.',
    { retry: 'backoff' },
  );
}

function otherSystem(registered: string, found: string): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_OTHER_SYSTEM',
    'The database is not the one that was registered under this source id. Register it under a new one.',
    { retry: 'never', context: { registered, found } },
  );
}

function setBack(): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_LOG_SET_BACK',
    'The log of the database ends before what was observed of it, as after a restore of its disks. Register it under a new source id.',
    { retry: 'never' },
  );
}
