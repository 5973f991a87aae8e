// SPDX-License-Identifier: Apache-2.0
import type { CommandChange } from '@clyra/core/change/change-body';
import { parseChange } from '@clyra/core/change/parse-change';
import type { TopicNames } from '@clyra/core/change/topics';
import { parseReceipt } from '@clyra/core/evidence/read-receipt';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';
import { decodeOrSkip } from '../log/decode-or-skip.ts';
import { scanPartition } from '../log/scan-partition.ts';
import type { SourceIdentity } from '../observation/observation-draft.ts';

export type Registration = {
  /** The tenant's own, learnt from where its log holds the command: observations go to the same number. */
  readonly partition: number;
  readonly systemId: string;
};

export type RegistrationOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topics: Pick<TopicNames, 'changes' | 'receipts'>;
  readonly wanted: readonly SourceIdentity[];
  readonly deadlineMs: number;
  readonly onRegistered: (identity: SourceIdentity, registration: Registration) => void;
};

const RETRY_MS = 1_000;
/** Receipts that are looked for at once, each by a reader of its own. */
const ASKED_MAX = 32;

/**
 * Learns from the log itself which source belongs to which tenant: an accepted `source.registered`. It reads
 * clyra.changes from the beginning, each partition by itself, until every source of the settings is registered.
 */
export class SourceRegistrations {
  readonly #options: RegistrationOptions;
  readonly #stopping = new AbortController();
  readonly #complete = new AbortController();
  readonly #wanted: Map<string, SourceIdentity>;
  /** Where each partition goes on after a failure. */
  readonly #offsets = new Map<number, number>();
  /** Commands whose receipt is being looked for, by place. */
  readonly #asked = new Set<string>();

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#wanted = new Map(options.wanted.map((identity) => [keyOf(identity), identity]));
  }

  /** Goes on until everything wanted is registered, or until `stop`. */
  async run(): Promise<void> {
    if (this.#wanted.size === 0) return;
    const starts = await this.#retried(() => {
      const { log, topics, deadlineMs } = this.#options;
      return log.startOffsets(topics.changes, deadlineMs);
    });
    await Promise.all((starts ?? []).map((offset, partition) => this.#follow(partition, offset)));
  }

  stop(): void {
    this.#stopping.abort();
  }

  get #signal(): AbortSignal {
    return AbortSignal.any([this.#stopping.signal, this.#complete.signal]);
  }

  async #follow(partition: number, startOffset: number): Promise<void> {
    const { log, clock, topics, deadlineMs } = this.#options;
    this.#offsets.set(partition, startOffset);
    const signal = this.#signal;
    await this.#retried(() =>
      scanPartition(log, clock, {
        name: `recorder-registrations-${partition}`,
        topic: topics.changes,
        partition,
        fromOffset: this.#offsets.get(partition) ?? startOffset,
        visit: (record) => this.#visit(record, signal),
        joinDeadlineMs: deadlineMs,
        signal,
      }),
    );
  }

  async #visit(record: LogRecord, signal: AbortSignal): Promise<boolean> {
    const envelope = decodeOrSkip(this.#options.codec, 'ChangeEnvelope', record.value);
    if (envelope?.kind === 'source.registered') this.#offer(record, envelope.body, signal);
    this.#offsets.set(record.partition, record.offset + 1);
    return false;
  }

  #offer(record: LogRecord, bytes: Uint8Array, signal: AbortSignal): void {
    const change = commandOf(bytes);
    const sourceId = change?.command['source_id'];
    const place = `${record.partition}:${record.offset}`;
    if (change === undefined || typeof sourceId !== 'string' || this.#asked.has(place)) return;
    const identity = this.#wanted.get(keyOf({ tenant: change.tenant, sourceId }));
    if (identity === undefined) return;
    // The scan stops before this command, and goes on with it.
    if (this.#asked.size >= ASKED_MAX) throw tooManyAsked();
    this.#asked.add(place);
    // Beside the scan: a receipt may be long in coming, and another command may be the one that counts.
    void this.#retried(() => this.#confirm({ record, change, identity, signal })).then(() => this.#asked.delete(place));
  }

  /** Receipts stand in the order of their changes, at least one for each, so the one looked for is not before its offset. */
  async #confirm(offer: {
    readonly record: LogRecord;
    readonly change: CommandChange;
    readonly identity: SourceIdentity;
    readonly signal: AbortSignal;
  }): Promise<void> {
    const { log, codec, clock, topics, deadlineMs } = this.#options;
    const { partition, offset } = offer.record;
    const start = (await log.startOffsets(topics.receipts, deadlineMs))[partition] ?? 0;
    const { signal } = offer;
    await scanPartition(log, clock, {
      name: `recorder-receipt-${partition}-${offset}`,
      topic: topics.receipts,
      partition,
      fromOffset: Math.max(start, offset),
      visit: async ({ value }) => {
        const envelope = decodeOrSkip(codec, 'ReceiptEnvelope', value);
        if (envelope?.offset !== offset) return false;
        if (isAllowed(envelope.body)) this.#register(offer.identity, partition, offer.change);
        return true;
      },
      joinDeadlineMs: deadlineMs,
      signal,
    });
  }

  #register(identity: SourceIdentity, partition: number, { command }: CommandChange): void {
    const key = keyOf(identity);
    if (!this.#wanted.delete(key)) return;
    this.#options.onRegistered(identity, { partition, systemId: String(command['system_id']) });
    if (this.#wanted.size === 0) this.#complete.abort();
  }

  /** undefined once it is over. */
  async #retried<T>(step: () => Promise<T>): Promise<T | undefined> {
    const { clock, logger } = this.#options;
    const signal = this.#signal;
    while (!signal.aborted) {
      try {
        return await step();
      } catch (error) {
        if (!(error instanceof ClyraError)) throw error;
        if (signal.aborted) return undefined;
        logger.warn('registrations cannot be read, trying again', { code: error.code, detail: error.message });
        await sleep(clock, RETRY_MS);
      }
    }
    return undefined;
  }
}

function tooManyAsked(): ClyraError {
  return new ClyraError(
    'CLY_RECORDER_REGISTRATIONS_OPEN',
    `${ASKED_MAX} registrations of this recorder's sources wait for their receipts: no more are looked at until an enforcer gives these`,
    { retry: 'backoff' },
  );
}

function keyOf({ tenant, sourceId }: SourceIdentity): string {
  return `${tenant}\n${sourceId}`;
}

/** undefined for what no enforcer would accept. */
function commandOf(bytes: Uint8Array): CommandChange | undefined {
  try {
    const change = parseChange(bytes);
    return change.kind === 'source.registered' ? (change as CommandChange) : undefined;
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}

function isAllowed(bytes: Uint8Array): boolean {
  try {
    const receipt = parseReceipt(bytes);
    return receipt.kind === 'decided' && receipt.change_kind === 'source.registered' && receipt.decision === 'allow';
  } catch (error) {
    if (error instanceof ClyraError) return false;
    throw error;
  }
}
