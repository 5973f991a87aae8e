// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import { contentId } from '@clyra/core/evidence/observation-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { OutgoingRecord, RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { OBSERVATION_TYPE } from '@clyra/core/signing/pae';
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

type Outgoing = { readonly tenant: string; readonly kind: string; readonly body: Uint8Array; readonly id: string };

const ENVELOPE_BYTES = 2_048;

/** What an intake says of itself in a tenant's log: each alone in its send, and again until it is stored. */
export class EvidenceSender {
  readonly #sourceId: string;
  readonly #logger: Logger;
  readonly #appender: BatchingAppender<Outgoing>;

  constructor({ log, codec, signer, clock, logger, topic, instance }: EvidenceSenderParts) {
    this.#sourceId = `intake:${instance}`;
    this.#logger = logger;
    this.#appender = new BatchingAppender<Outgoing>({
      log,
      clock,
      name: 'intake-evidence',
      topic,
      sends: 'per-partition',
      seal: (items) => sealAll(items, { codec, signer, sourceId: this.#sourceId }),
      limits: { sendItemsMax: 1 },
      sizeOf: ({ body }) => body.length + ENVELOPE_BYTES,
    });
  }

  /** True once it is stored; false where the intake ends before. */
  async send({ kind, tenant, partition, members }: OwnObservation): Promise<boolean> {
    const said = { ...members, v: 0, kind, tenant, source_id: this.#sourceId };
    const id = contentId(said);
    try {
      await this.#appender.enqueue(
        { tenant, kind, body: encodeRecord({ ...said, observation_id: id }), id },
        partition,
      );
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

async function sealAll(
  items: readonly Outgoing[],
  { codec, signer, sourceId }: { codec: EnvelopeCodec; signer: Signer; sourceId: string },
): Promise<OutgoingRecord[]> {
  const digests = items.map(({ body }) => digestOf(body));
  const blocks = await signBatch(signer, OBSERVATION_TYPE, digests);
  return items.map(({ tenant, kind, body, id }, index) => ({
    key: Buffer.from(tenant, 'utf8'),
    value: codec.encode('ObservationEnvelope', {
      body,
      signature: encodeRecord(blockToJson(blocks[index] as SignatureBlock)),
      tenant,
      kind,
      source_id: sourceId,
      observation_id: id,
    }),
  }));
}
