// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { formatLsn } from '@clyra/adapter-postgres/lsn';
import { ClyraError } from '@clyra/core/kernel/error';
import type { TransactionDraft } from '../observation/observation-draft.ts';
import { ObservationWriter } from '../observation/observation-writer.ts';
import { Pause } from '../pause.ts';
import type { Registration } from '../registration/source-registrations.ts';
import type { DigestKeys } from '../source/digest-keys.ts';
import { SourceFigures, type SourceState } from '../source-figures.ts';
import type { RunnerOptions } from '../source-runner.ts';
import type { HistorySource } from './history-source.ts';
import { WarehouseSession } from './warehouse-session.ts';

export type WarehouseRunnerOptions = Omit<
  RunnerOptions,
  'source' | 'positions' | 'mayPrepare' | 'watermarkIntervalMs'
> & {
  readonly source: HistorySource;
  readonly digestKeys: DigestKeys;
  readonly tuning?: Partial<WarehouseTuning>;
};

/** Times that tests shorten, in milliseconds. */
export type WarehouseTuning = {
  readonly pollIntervalMs: number;
  /** From taking over to the first statement: what another recorder had on its way has reached the log by then. */
  readonly settleMs: number;
  /** After a refusal that only a person can lift. */
  readonly refusedMs: number;
  /** A recorder that was taken over from waits so long, and then takes over where the other one is silent. */
  readonly silentMs: number;
};

const TUNING: WarehouseTuning = { pollIntervalMs: 30_000, settleMs: 2_000, refusedMs: 10_000, silentMs: 300_000 };
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
const REPEAT_LOG_MS = 60_000;
const GIVE_UP_MS = 100;

/** Records one warehouse for as long as it runs: every failure ends in a new attempt, and readiness says why. */
export class WarehouseRunner {
  readonly figures: SourceFigures;
  readonly #options: WarehouseRunnerOptions;
  readonly #tuning: WarehouseTuning;
  readonly #pause: Pause;
  readonly #stopping = new AbortController();
  #writer: ObservationWriter | undefined;
  #session: WarehouseSession | undefined;
  #running: Promise<void> | undefined;
  #trouble: string | undefined;
  #logged = { code: '', atMs: 0 };

  constructor(options: WarehouseRunnerOptions) {
    this.#options = options;
    this.#tuning = { ...TUNING, ...options.tuning };
    this.#pause = new Pause(options.clock);
    this.figures = new SourceFigures(options.identity, options.clock);
  }

  start(registration: Registration): void {
    this.figures.partition = registration.partition;
    this.#setState('connecting', 'connecting to the source');
    this.#running ??= this.#run(registration);
  }

  async stop(deadlineMs: number): Promise<void> {
    const { clock, source } = this.#options;
    this.#stopping.abort();
    this.#pause.end();
    await this.#writer?.close(deadlineMs);
    // A warehouse that does not answer keeps an attempt waiting; the process need not.
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
        this.#session ??= await this.#open(registration);
        const { isBehind, trouble } = await this.#session.pass();
        this.#showPosition();
        waitMs = RETRY_MIN_MS;
        this.#trouble = undefined;
        this.#setState('streaming', trouble === undefined ? undefined : `${trouble.code}: ${trouble.message}`);
        if (trouble !== undefined) this.#logOnce(trouble);
        if (!isBehind) await this.#pause.sleep(this.#tuning.pollIntervalMs);
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (this.#stopping.signal.aborted) break;
        await this.#onFailure(error);
        await this.#pause.sleep(this.#waitAfter(error, waitMs));
        waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
      }
    }
  }

  #waitAfter({ code, retry }: ClyraError, waitMs: number): number {
    if (code === 'CLY_RECORDER_TAKEN_OVER') return this.#tuning.silentMs;
    return retry === 'never' ? this.#tuning.refusedMs : waitMs;
  }

  async #onFailure(error: ClyraError): Promise<void> {
    this.#setState('connecting', `${error.code}: ${error.message}`);
    this.#logOnce(error);
    // A question that failed changes nothing in the log: the session goes on. Where the log itself is in doubt, or
    // another recorder is at work, everything is read back.
    if (this.#writer?.isBroken !== true && error.code !== 'CLY_RECORDER_TAKEN_OVER') return;
    await this.#writer?.close(GIVE_UP_MS);
    this.#writer = undefined;
    this.#session = undefined;
  }

  async #open({ partition, systemId }: Registration): Promise<WarehouseSession> {
    const { source, log, codec, clock, logger, topic, identity, logDeadlineMs, digestKeys } = this.#options;
    const { signal } = this.#stopping;
    const { figures } = this;
    const session = new WarehouseSession({
      source,
      book: { log, codec, clock, topic, partition, identity, deadlineMs: logDeadlineMs, signal },
      writer: this.#openWriter(),
      clock,
      logger,
      systemId,
      settleMs: this.#tuning.settleMs,
      digestKeyOf: (isFirst: boolean): Promise<KeyObject> => digestKeys.keyOf(identity.tenant, isFirst),
      events: {
        onStatement: (draft: TransactionDraft, { committedAtMs }) => {
          figures.published('transaction', committedAtMs);
          this.#options.onTransaction(draft);
        },
        onWatermark: (coversUntilMs) => {
          figures.published('watermark', undefined);
          figures.coversUntilMs = coversUntilMs;
        },
        onGap: (gap, detectedAtMs) =>
          figures.gap({ from_lsn: gap.from, to_lsn: gap.to, reason: gap.reason, detected_at: detectedAtMs }),
        onCoverage: () => figures.published('coverage', undefined),
      },
    });
    await session.open();
    logger.info('source is recorded', { source_id: identity.sourceId });
    return session;
  }

  #showPosition(): void {
    const incarnation = this.#session?.incarnation;
    if (incarnation === undefined) return;
    const lsn = formatLsn(this.#session?.position ?? 0n);
    this.figures.position = { incarnation, durableText: lsn };
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
      onTrouble: (error) => {
        this.#trouble = `the log: ${error.code}: ${error.message}`;
        this.#setState(this.figures.state, this.#trouble);
      },
    });
    this.figures.writer = this.#writer;
    return this.#writer;
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
