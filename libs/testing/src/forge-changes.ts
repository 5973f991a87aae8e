// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { OutgoingRecord } from '@clyra/core/ports/record-log';
import type { Signer } from '@clyra/core/ports/signer';
import { blockToJson, type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { CHANGE_TYPE } from '@clyra/core/signing/pae';

export type CopyOptions = {
  /** An intake that is nobody else's. */
  readonly instance: string;
  /** What a velocity rule counts this copy under, given the rule's id and a text that no other copy has. */
  readonly countedAs: (rule: string, unique: string) => string;
};

/** A request that was in the log, once more under an id, a nonce, a key and a token of its own. */
export function copyOfRequest(model: JsonObject, { instance, countedAs }: CopyOptions): JsonObject {
  const unique = randomUUID();
  const facts = model['facts'] as JsonObject;
  return {
    ...model,
    event_id: unique,
    intake: { instance, epoch: 1 },
    intake_at: Date.now(),
    facts: {
      ...facts,
      nonce_digest: digestOf(`nonce ${unique}`),
      payload_digest: digestOf(`payload ${unique}`),
      canonical_digest: digestOf(`canonical ${unique}`),
      execution_token_hash: digestOf(`token ${unique}`),
      idempotency: { key_digest: digestOf(`key ${unique}`), fingerprint: digestOf(`print ${unique}`) },
      velocity: (facts['velocity'] as JsonObject[]).map((entry) => ({
        ...entry,
        key_digest: digestOf(countedAs(String(entry['rule']), unique)),
      })),
    },
  };
}

/** One send for clyra.changes, as intake makes it: its bodies share one signature. */
export async function sealChanges(
  bodies: readonly JsonObject[],
  { codec, signer }: { readonly codec: EnvelopeCodec; readonly signer: Signer },
): Promise<OutgoingRecord[]> {
  const encoded = bodies.map((body) => encodeRecord(body));
  const digests = encoded.map((bytes) => digestOf(bytes));
  const blocks = await signBatch(signer, CHANGE_TYPE, digests);
  return bodies.map((body, index) => ({
    key: Buffer.from(body['tenant'] as string, 'utf8'),
    value: codec.encode('ChangeEnvelope', {
      body: encoded[index] as Uint8Array,
      signature: encodeRecord(blockToJson(blocks[index] as SignatureBlock)),
      tenant: body['tenant'] as string,
      kind: body['kind'] as string,
      event_id: body['event_id'] as string,
    }),
  }));
}
