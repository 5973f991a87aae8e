// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { isPoison, type ReadChange, readChange } from '@clyra/core/enforcement/read-change';
import type { DecidedBody, RecordedBody } from '@clyra/core/enforcement/receipt-body';
import type { Signed } from '@clyra/core/evidence/journal-line';
import { type ObservationBody, parseObservation } from '@clyra/core/evidence/observation-body';
import { decidedLine, observedLine } from '@clyra/core/evidence/write-line';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import type { SignatureBlock } from '@clyra/core/signing/batch-signature';
import { readBlock } from '@clyra/core/signing/parse-block';
import type { ChangePair } from './change-pairs.ts';

/** A change and its receipt, read and compared; not yet judged under a trust root. */
export type DecidedDraft = {
  readonly kind: 'decided';
  readonly appendTimeMs: number;
  readonly change: Signed<ReadChange['body']>;
  readonly receipt: Signed<DecidedBody | RecordedBody, SignatureBlock | null>;
};

export type ObservedDraft = {
  readonly kind: 'observed';
  readonly appendTimeMs: number;
  readonly observation: Signed<ObservationBody>;
};

/** Throws where the receipt is not one of this change: such a pair stops the partition. */
export function draftDecided(pair: ChangePair, envelope: Envelopes['ChangeEnvelope']): DecidedDraft {
  const { body, envelope: sent, digest } = pair.receipt;
  const read = readChange(envelope);
  if (isPoison(read) || body.kind === 'poisoned') throw mismatch(pair, 'poison is not answered as poison');
  const { kind, event_id: eventId, tenant } = read.body;
  if (body.change_digest !== read.bodyDigest) throw mismatch(pair, 'the receipt is of another change');
  if (body.tenant !== tenant || body.change_kind !== kind || body.event_id !== eventId) {
    throw mismatch(pair, 'the receipt names another change');
  }
  const block = sent.signature === null ? null : readBlock(sent.signature);
  if (block === undefined || (block === null) !== (body.kind === 'recorded')) {
    throw mismatch(pair, 'the receipt has no signature block, or one that cannot be read');
  }
  return {
    kind: 'decided',
    appendTimeMs: pair.change.appendTimeMs,
    change: { body: read.body, bytes: envelope.body, digest: read.bodyDigest, block: read.block },
    receipt: { body, bytes: sent.body, digest, block },
  };
}

function mismatch({ change }: ChangePair, what: string): ClyraError {
  const { partition, offset } = change;
  return new ClyraError(
    'CLY_RECEIPT_MISMATCH',
    `partition ${partition}, offset ${offset}: ${what}; keep it stopped and compare the enforcers`,
    {
      retry: 'never',
      context: { partition, offset },
    },
  );
}

/** The observation, or the code of why it can enter no log. */
export function draftObserved(
  envelope: Envelopes['ObservationEnvelope'],
  appendTimeMs: number,
): ObservedDraft | string {
  try {
    const body = parseObservation(envelope.body);
    const { tenant, kind, source_id: sourceId, observation_id: observationId } = body;
    const isRouted = envelope.tenant === tenant && envelope.kind === kind;
    if (!isRouted || envelope.source_id !== sourceId || envelope.observation_id !== observationId) {
      return 'CLY_RECORD_ROUTING';
    }
    const block = readBlock(envelope.signature);
    if (block === undefined) return 'CLY_RECORD_SIGNATURE_SHAPE';
    return {
      kind: 'observed',
      appendTimeMs,
      observation: { body, bytes: envelope.body, digest: digestOf(envelope.body), block },
    };
  } catch (error) {
    if (error instanceof ClyraError) return error.code;
    throw error;
  }
}

/** The line's bytes. Throws CLY_JOURNAL_LINE_LIMIT. */
export function lineOf(draft: DecidedDraft | ObservedDraft): Uint8Array {
  const { appendTimeMs } = draft;
  if (draft.kind === 'observed') return observedLine({ appendTimeMs, observation: partOf(draft.observation) });
  return decidedLine({ appendTimeMs, change: partOf(draft.change), receipt: partOf(draft.receipt) });
}

function partOf(part: Signed<object, SignatureBlock | null>): Parameters<typeof observedLine>[0]['observation'] {
  const { body, bytes, block } = part;
  return { body: body as JsonObject, bytes, block: block as JsonObject | null };
}
