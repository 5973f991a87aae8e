// SPDX-License-Identifier: Apache-2.0
import { digestBytes } from '@clyra/core/canonical/digest';
import type { Folded } from '@clyra/core/enforcement/partition-fold';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Signer } from '@clyra/core/ports/signer';
import { encodeBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';

/** Envelopes for one send: one signature over all bodies that carry one (docs/spec/records.md §3). */
export async function sealReceipts(
  receipts: readonly Folded[],
  tools: { readonly codec: EnvelopeCodec; readonly signer: Signer },
): Promise<Uint8Array[]> {
  const digests = receipts.filter((receipt) => receipt.signed).map((receipt) => receipt.digest);
  const blocks = digests.length === 0 ? [] : await signBatch(tools.signer, RECEIPT_TYPE, digests);
  let next = 0;
  return receipts.map((receipt) => {
    const block = receipt.signed ? blocks[next++] : undefined;
    return tools.codec.encode('ReceiptEnvelope', {
      body: receipt.bytes,
      signature: block === undefined ? null : encodeBlock(block),
      chain: digestBytes(receipt.chain),
      tenant: receipt.tenant,
      kind: receipt.kind,
      event_id: receipt.eventId,
      offset: receipt.offset,
    });
  });
}
