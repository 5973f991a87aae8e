// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { encodeBlock, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';
import { BatchingAppender } from '@clyra/runtime/batching-appender';
import type { OutgoingChange } from './change-writer.ts';
import { SendPulse } from './send-pulse.ts';

export type PublisherParts = {
  readonly log: Pick<RecordLog, 'appender'>;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
  /** Called with each change before it is sent. */
  readonly onPublish?: (change: OutgoingChange) => void;
};

/** `not_sent`: certainly not in the log, and never will be. `unknown`: it may be in the log. */
export type Fate = 'stored' | 'not_sent' | 'unknown';

/** The signature block and the envelope around a body. */
const ENVELOPE_BYTES = 2_048;

/** Sends changes to their partitions; the changes of one send share one signature. */
export class ChangePublisher {
  readonly #appender: BatchingAppender<OutgoingChange>;
  readonly #onPublish: (change: OutgoingChange) => void;
  readonly #companions: (() => void)[] = [];
  readonly #pulse: SendPulse;

  constructor({ log, codec, signer, clock, logger, topic, onPublish = () => {} }: PublisherParts) {
    this.#onPublish = onPublish;
    this.#pulse = new SendPulse(clock);
    this.#appender = new BatchingAppender<OutgoingChange>({
      log,
      clock,
      name: 'intake-changes',
      topic,
      sends: 'together',
      seal: (changes) => {
        this.#pulse.began(changes.map(({ eventId }) => eventId));
        return sealChanges(changes, { codec, signer });
      },
      rest: (beganAtMs) => this.#pulse.rest(beganAtMs),
      sizeOf: (change) => change.body.length + ENVELOPE_BYTES,
      onTrouble: (error, attemptCount) => {
        if (attemptCount === 1) logger.warn('changes are not confirmed and are sent again', { code: error.code });
      },
    });
  }

  /** Changes that are waiting or under way. */
  get heldCount(): number {
    return this.#appender.heldCount;
  }

  /** `join` is called before each change that somebody waits for: what can wait for company goes with its send. */
  accompany(join: () => void): void {
    this.#companions.push(join);
  }

  /** The receipt of a change was read, whoever published it. */
  answered(eventId: string): void {
    this.#pulse.answered(eventId);
  }

  /** Without a deadline it is sent until it is stored, or until the publisher is closed. Rejects for bugs only. */
  async publish(change: OutgoingChange, deadlineMs?: number): Promise<Fate> {
    if (deadlineMs !== undefined) for (const join of this.#companions) join();
    this.#onPublish(change);
    try {
      await this.#appender.enqueue(change, change.partition, deadlineMs);
      return 'stored';
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      return error.code === 'CLY_LOG_APPEND_UNKNOWN' ? 'unknown' : 'not_sent';
    }
  }

  close(deadlineMs: number): Promise<void> {
    return this.#appender.close(deadlineMs);
  }
}

async function sealChanges(
  changes: readonly OutgoingChange[],
  tools: { readonly codec: EnvelopeCodec; readonly signer: Signer },
): Promise<OutgoingRecord[]> {
  const blocks = await signBatch(
    tools.signer,
    CHANGE_TYPE,
    changes.map(({ digest }) => digest),
  );
  return changes.map((change, index) => ({
    key: Buffer.from(change.tenant, 'utf8'),
    value: tools.codec.encode('ChangeEnvelope', {
      body: change.body,
      signature: encodeBlock(blocks[index] as SignatureBlock),
      tenant: change.tenant,
      kind: change.kind,
      event_id: change.eventId,
    }),
  }));
}
