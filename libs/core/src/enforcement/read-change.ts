// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { ChangeBody } from '../change/change-body.ts';
import { parseChange } from '../change/parse-change.ts';
import { ClyraError } from '../kernel/error.ts';
import type { Envelopes } from '../ports/envelope-codec.ts';
import type { SignatureBlock } from '../signing/batch-signature.ts';
import { readBlock } from '../signing/parse-block.ts';

export type ReadChange = { readonly body: ChangeBody; readonly bodyDigest: Digest; readonly block: SignatureBlock };

export type Poison = { readonly reason: string };

/**
 * Reads a record of clyra.changes. Whether it is poison depends on nothing but its bytes and the shipped schemas:
 * never on state, keys or time.
 */
export function readChange(envelope: Envelopes['ChangeEnvelope']): ReadChange | Poison {
  try {
    const body = parseChange(envelope.body);
    if (envelope.tenant !== body.tenant || envelope.kind !== body.kind || envelope.event_id !== body.event_id) {
      return { reason: 'CLY_RECORD_ROUTING' };
    }
    const block = readBlock(envelope.signature);
    if (block === undefined) return { reason: 'CLY_RECORD_SIGNATURE_SHAPE' };
    return { body, bodyDigest: digestOf(envelope.body), block };
  } catch (error) {
    if (error instanceof ClyraError) return { reason: error.code };
    throw error;
  }
}

export function isPoison(read: ReadChange | Poison): read is Poison {
  return 'reason' in read;
}
