// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import { contentId } from '@clyra/core/evidence/observation-body';
import {
  type ObservationSealer,
  sealObservations,
  type UnsealedObservation,
} from '@clyra/core/evidence/seal-observations';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { BatchingAppender } from '@clyra/runtime/batching-appender';

export type EvidenceSenderParts = {
  readonly log: Pick<RecordLog, 'appender'>;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of observations. */
  readonly topic: string;
  readonly instance: string;
};

export type OwnObservation = {
  readonly kind: 'outage' | 'gap';
  readonly tenant: string;
  readonly partition: number;
  readonly members: JsonObject;
};

const ENVELOPE_BYTES = 2_048;

/** What an intake says of itself in a tenant's log: each alone in its send, and again until it is stored. */
export class EvidenceSender {
  readonly #sourceId: string;
  readonly #logger: Logger;
  readonly #appender: BatchingAppender<UnsealedObservation>;

  constructor({ log, codec, signer, clock, logger, topic, instance }: EvidenceSenderParts) {
    this.#sourceId = `intake:${instance}`;
    this.#logger = logger;
    this.#appender = new BatchingAppender<UnsealedObservation>({
      log,
      clock,
      name: 'intake-evidence',
      topic,
      sends: 'per-partition',
      seal: (items) => sealed(items, { codec, signer }),
      limits: { sendItemsMax: 1 },
      sizeOf: ({ bytes }) => bytes.length + ENVELOPE_BYTES,
    });
  }

  /** True once it is stored; false where the intake ends before. */
  async send({ kind, tenant, partition, members }: OwnObservation): Promise<boolean> {
    const said = { ...members, v: 0, kind, tenant, source_id: this.#sourceId };
    const observationId = contentId(said);
    const bytes = encodeRecord({ ...said, observation_id: observationId });
    try {
      await this.#appender.enqueue({ kind, tenant, sourceId: this.#sourceId, observationId, bytes }, partition);
      return true;
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      this.#logger.error('an intake could not say what it missed', { code: error.code, tenant, kind });
      return false;
    }
  }

  close(deadlineMs: number): Promise<void> {
    return this.#appender.close(deadlineMs);
  }
}

/** Each has its tenant for a key. */
async function sealed(items: readonly UnsealedObservation[], sealer: ObservationSealer): Promise<OutgoingRecord[]> {
  const records = await sealObservations(items, sealer);
  return records.map((record, index) => ({ ...record, key: Buffer.from(items[index]?.tenant ?? '', 'utf8') }));
}
