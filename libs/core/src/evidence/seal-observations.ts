// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { EnvelopeCodec } from '../ports/envelope-codec.ts';
import type { OutgoingRecord } from '../ports/record-log.ts';
import type { Signer } from '../ports/signer.ts';
import { encodeBlock, type SignatureBlock, signBatch } from '../signing/batch-signature.ts';
import { OBSERVATION_TYPE } from '../signing/pae.ts';

/** A finished body of clyra.observations with the routing copies that its envelope repeats. */
export type UnsealedObservation = {
  readonly kind: string;
  readonly tenant: string;
  readonly sourceId: string;
  readonly observationId: string;
  readonly bytes: Uint8Array;
};

export type ObservationSealer = { readonly codec: EnvelopeCodec; readonly signer: Signer };

/** The records of one send, under one signature (docs/spec/records.md §6); they have no key. */
export async function sealObservations(
  drafts: readonly UnsealedObservation[],
  { codec, signer }: ObservationSealer,
): Promise<OutgoingRecord[]> {
  const digests = drafts.map(({ bytes }) => digestOf(bytes));
  const blocks = await signBatch(signer, OBSERVATION_TYPE, digests);
  return drafts.map((draft, index) => ({
    key: null,
    value: codec.encode('ObservationEnvelope', {
      body: draft.bytes,
      signature: encodeBlock(blocks[index] as SignatureBlock),
      tenant: draft.tenant,
      kind: draft.kind,
      source_id: draft.sourceId,
      observation_id: draft.observationId,
    }),
  }));
}
