// SPDX-License-Identifier: Apache-2.0
import { digestBytes } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { Folded } from '@clyra/core/enforcement/partition-fold';
import type { Envelopes } from '@clyra/core/ports/envelope-codec';
import { blockToJson, type SignatureBlock } from '@clyra/core/signing/batch-signature';

/** The envelope of a folded record as an enforcer writes it; without a block it is unsigned. */
export function receiptEnvelope(folded: Folded, block?: SignatureBlock): Envelopes['ReceiptEnvelope'] {
  return {
    body: folded.bytes,
    signature: block === undefined ? null : encodeRecord(blockToJson(block)),
    chain: digestBytes(folded.chain),
    tenant: folded.tenant,
    kind: folded.kind,
    event_id: folded.eventId,
    offset: folded.offset,
  };
}
