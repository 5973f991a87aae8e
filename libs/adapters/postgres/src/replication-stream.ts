// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { ClyraError } from '@clyra/core/kernel/error';
import type { CommittedTransaction } from './committed-transaction.ts';
import { ConfirmationLedger } from './confirmation-ledger.ts';
import type { PostgresConnection } from './connection-settings.ts';
import { formatLsn, type LsnText, parseLsn } from './lsn.ts';
import { decodePgoutput } from './pgoutput-decoder.ts';
import { type AccumulatorLimits, TransactionAccumulator } from './transaction-accumulator.ts';
import { openWalsender, type WalsenderSession, type WalsenderSource } from './walsender-session.ts';

export type ReplicationOptions = {
  readonly connection: PostgresConnection;
  readonly slot: string;
  readonly publication: string;
  /** Made by `createSecretKey`; the same key gives a redelivered transaction the same digests. */
  readonly digestKey: KeyObject;
  /**
   * Called once, before anything is delivered, with the facts of the session that will stream. Throwing refuses the
   * start: this is where the caller compares the slot with its own checkpoint.
   */
  readonly admit?: (source: WalsenderSource) => void;
  /** In commit order, at least once each, the first perhaps before `openReplication` resolves. It must only enqueue; a ClyraError it throws ends the stream. */
  readonly onTransaction: (transaction: CommittedTransaction) => void;
  /**
   * The server had nothing to send up to `lsn` at `serverTimeMs`, and everything delivered is confirmed. The
   * caller records `lsn` durably and then confirms it: without that an idle slot keeps the log of its whole server,
   * and a slot confirmed beyond the caller's checkpoint looks like one made again.
   */
  readonly onKeepalive?: (lsn: LsnText, serverTimeMs: number) => void;
  /** At most once, never after `close`. The stream is over; open a new one according to `error.retry`. */
  readonly onLost: (error: ClyraError) => void;
  readonly tuning?: Partial<ReplicationTuning>;
  readonly limits?: Partial<AccumulatorLimits>;
};

export type ReplicationTuning = {
  readonly openTimeoutMs: number;
  /** Each time the server is told the confirmed position and asked for a sign of life. */
  readonly statusIntervalMs: number;
  /** A confirmation reaches the server at most this much later. */
  readonly confirmDelayMs: number;
  /** Without a byte from the server for so long, while reading, the connection counts as lost. */
  readonly silenceMaxMs: number;
  /**
   * Unconfirmed transactions at which reading stops, and at which it goes on. One counts as many as it lists
   * relations and messages, plus one.
   */
  readonly pendingHighCount: number;
  readonly pendingLowCount: number;
};

export const DEFAULT_REPLICATION_TUNING: ReplicationTuning = {
  openTimeoutMs: 15_000,
  statusIntervalMs: 5_000,
  confirmDelayMs: 50,
  silenceMaxMs: 60_000,
  pendingHighCount: 3_000,
  pendingLowCount: 1_500,
};

export interface ReplicationStream {
  readonly source: WalsenderSource;
  /**
   * Everything up to `lsn` (a `commitEndLsn` or a keepalive's position) is durable elsewhere. Lower positions than
   * before change nothing. Throws CLY_SOURCE_CONFIRM_AHEAD for a position that was not delivered.
   */
  confirm(lsn: LsnText): void;
  /** What is delivered and unconfirmed, counted as in `pendingHighCount`, and whether reading has stopped for it. */
  backlog(): { readonly pendingCount: number; readonly isPaused: boolean };
  /** Tells the server the confirmed position and frees the slot. Nothing is called back afterwards. */
  close(): Promise<void>;
}

/**
 * Streams committed transactions from a slot's confirmed position. Reconnecting is the caller's: a stream that
 * was lost, or failed to open, is replaced by a new one, and the server sends again whatever was not confirmed.
 *
 * Rejects with the codes of `classifyPostgresError`, CLY_SOURCE_SLOT_UNUSABLE, or what `admit` throws.
 */
export async function openReplication(options: ReplicationOptions): Promise<ReplicationStream> {
  const stream = new ConfirmedStream(options);
  await stream.open();
  return stream;
}

class ConfirmedStream implements ReplicationStream {
  readonly #options: ReplicationOptions;
  readonly #tuning: ReplicationTuning;
  #source: WalsenderSource | undefined;
  #accumulator: TransactionAccumulator | undefined;
  #ledger = new ConfirmationLedger(0n);
  #session: WalsenderSession | undefined;
  #statusTimer: NodeJS.Timeout | undefined;
  #confirmTimer: NodeJS.Timeout | undefined;
  #isOver = false;
  #isPaused = false;
  #lastHeardMs = performance.now();

  constructor(options: ReplicationOptions) {
    this.#options = options;
    this.#tuning = { ...DEFAULT_REPLICATION_TUNING, ...options.tuning };
  }

  get source(): WalsenderSource {
    return required(this.#source);
  }

  async open(): Promise<void> {
    const { connection, slot, publication } = this.#options;
    this.#session = await openWalsender({
      connection,
      slot,
      publication,
      openTimeoutMs: this.#tuning.openTimeoutMs,
      admit: (source) => this.#admit(source),
      onMessage: (chunk, from) => this.#onMessage(chunk, from),
      onKeepalive: (keepalive) => this.#onKeepalive(keepalive),
      onLost: (error) => this.#lose(error),
    });
    if (this.#isPaused) {
      // The first changes may come in the same packet as the start, before there was a session to pause.
      this.#session.pause();
    }
    if (!this.#isOver) {
      this.#statusTimer = setInterval(() => this.#onStatusTimer(), this.#tuning.statusIntervalMs);
      this.#session.sendStatus(this.#ledger.confirmedLsn, true);
    }
  }

  confirm(lsn: LsnText): void {
    const hasMoved = this.#ledger.confirm(parseLsn(lsn));
    if (!hasMoved || this.#isOver) {
      return;
    }
    // Confirmations come in bursts; one status answers for all of them.
    this.#confirmTimer ??= setTimeout(() => {
      this.#confirmTimer = undefined;
      this.#session?.sendStatus(this.#ledger.confirmedLsn, false);
    }, this.#tuning.confirmDelayMs);
    this.#applyBackPressure();
  }

  backlog(): { readonly pendingCount: number; readonly isPaused: boolean } {
    return { pendingCount: this.#ledger.pendingWeight, isPaused: this.#isPaused };
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#session?.close(this.#ledger.confirmedLsn);
  }

  #admit(source: WalsenderSource): void {
    const confirmedLsn = source.slot.confirmedFlushLsn;
    if (confirmedLsn === null || source.slot.walStatus === 'lost') {
      throw new ClyraError(
        'CLY_SOURCE_SLOT_LOST',
        'The server no longer has the log this slot needs. Record the gap, drop the slot and create it again.',
        { retry: 'never', context: { slot: source.slot.slot } },
      );
    }
    this.#options.admit?.(source);
    this.#source = source;
    this.#ledger = new ConfirmationLedger(parseLsn(confirmedLsn));
    this.#accumulator = new TransactionAccumulator({
      systemId: source.system.systemId,
      timeline: source.system.timeline,
      digestKey: this.#options.digestKey,
      ...(this.#options.limits === undefined ? {} : { limits: this.#options.limits }),
    });
  }

  #onMessage(chunk: Buffer, from: number): void {
    this.#lastHeardMs = performance.now();
    const transaction = required(this.#accumulator).accept(decodePgoutput(chunk, from));
    if (transaction === undefined || this.#isOver) {
      return;
    }
    const weight = 1 + transaction.relations.length + transaction.messages.length;
    this.#ledger.deliver(parseLsn(transaction.commitEndLsn), weight);
    this.#options.onTransaction(transaction);
    this.#applyBackPressure();
  }

  #onKeepalive(keepalive: { lsn: bigint; serverTimeMs: number; wantsReply: boolean }): void {
    this.#lastHeardMs = performance.now();
    if (keepalive.wantsReply) {
      this.#session?.sendStatus(this.#ledger.confirmedLsn, false);
    }
    if (this.#isOver || !this.#ledger.isSettled || required(this.#accumulator).isTransactionOpen) {
      return;
    }
    if (keepalive.lsn < this.#ledger.confirmedLsn) {
      // A session reports where it began reading the log before it has caught up with the slot's own position.
      return;
    }
    this.#ledger.receiveKeepalive(keepalive.lsn);
    this.#options.onKeepalive?.(formatLsn(keepalive.lsn), keepalive.serverTimeMs);
  }

  /** Runs while paused as well: a server that hears nothing ends the connection after wal_sender_timeout. */
  #onStatusTimer(): void {
    const silentMs = performance.now() - this.#lastHeardMs;
    if (!this.#isPaused && silentMs > this.#tuning.silenceMaxMs) {
      const session = this.#session;
      this.#lose(
        new ClyraError('CLY_SOURCE_UNREACHABLE', 'The server fell silent. Open a new connection.', {
          retry: 'backoff',
          context: { silentMs: Math.round(silentMs) },
        }),
      );
      void session?.close(this.#ledger.confirmedLsn);
      return;
    }
    this.#session?.sendStatus(this.#ledger.confirmedLsn, true);
  }

  #applyBackPressure(): void {
    const pendingCount = this.#ledger.pendingWeight;
    if (!this.#isPaused && pendingCount >= this.#tuning.pendingHighCount) {
      this.#isPaused = true;
      this.#session?.pause();
    } else if (this.#isPaused && pendingCount <= this.#tuning.pendingLowCount) {
      this.#isPaused = false;
      this.#lastHeardMs = performance.now();
      this.#session?.resume();
    }
  }

  #lose(error: ClyraError): void {
    if (!this.#isOver) {
      this.#stop();
      this.#options.onLost(error);
    }
  }

  #stop(): void {
    this.#isOver = true;
    clearInterval(this.#statusTimer);
    clearTimeout(this.#confirmTimer);
  }
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) {
    throw new Error('the replication stream is used before it was admitted');
  }
  return value;
}
