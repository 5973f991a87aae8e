// SPDX-License-Identifier: Apache-2.0
import { encodeRecord } from '@clyra/core/canonical/record';
import { contentId, type DocumentBody } from '@clyra/core/evidence/observation-body';
import { sealObservations, type UnsealedObservation } from '@clyra/core/evidence/seal-observations';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { RecordLog } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { BatchingAppender } from '@clyra/runtime/batching-appender';

/** That intake has a document, or no longer: its digest is evidence, its bytes are not in the log. */
export type SentDocument = Omit<DocumentBody, 'v' | 'kind' | 'observation_id'>;

type Draft = { readonly bytes: Uint8Array; readonly body: DocumentBody };

export type SenderParts = {
  readonly log: Pick<RecordLog, 'appender'>;
  readonly codec: EnvelopeCodec;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly topic: string;
};

const ENVELOPE_BYTES = 2_048;

/** Observations of kind `document` (docs/spec/records.md §6), each sent until it is stored. */
export class DocumentSender {
  readonly #appender: BatchingAppender<Draft>;
  readonly #logger: Logger;

  constructor({ log, codec, signer, clock, logger, topic }: SenderParts) {
    this.#logger = logger;
    this.#appender = new BatchingAppender<Draft>({
      log,
      clock,
      name: 'intake-documents',
      topic,
      sends: 'per-partition',
      seal: (drafts) => sealObservations(drafts.map(unsealed), { codec, signer }),
      sizeOf: ({ bytes }) => bytes.length + ENVELOPE_BYTES,
      onTrouble: (error, attemptCount) => {
        if (attemptCount === 1) logger.warn('documents are not confirmed and are sent again', { code: error.code });
      },
    });
  }

  send(document: SentDocument, partition: number): void {
    const content = { v: 0, kind: 'document', ...document } as const;
    const body: DocumentBody = { ...content, observation_id: contentId(content) };
    this.#appender.enqueue({ body, bytes: encodeRecord(body) }, partition).catch((error: unknown) => {
      if (!(error instanceof ClyraError)) throw error;
      this.#logger.error('a document is not in the log', { code: error.code, sha256: document.sha256 });
    });
  }

  close(deadlineMs: number): Promise<void> {
    return this.#appender.close(deadlineMs);
  }
}

function unsealed({ body, bytes }: Draft): UnsealedObservation {
  const { kind, tenant, source_id: sourceId, observation_id: observationId } = body;
  return { kind, tenant, sourceId, observationId, bytes };
}
