// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { parseRecord } from '@clyra/core/canonical/record';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SignatureBlock } from '@clyra/core/signing/batch-signature';
import { readBlock } from '@clyra/core/signing/parse-block';
import type { DecodedRecord } from './partition-queue.ts';

export type ReadReceipt = {
  readonly body: ReceiptBody;
  readonly digest: Digest;
  /** undefined for a recorded body, which has no signature. */
  readonly block: SignatureBlock | undefined;
  readonly appendTimeMs: number;
};

/**
 * Half of all receipts are `recorded` bodies, which nobody is held for and nothing is checked against: that they are
 * canonical is left to those who hash them. Throws JsonError where they are no JSON object.
 */
function readUnsigned(bytes: Uint8Array): unknown {
  try {
    const body: unknown = JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'));
    if (typeof body === 'object' && body !== null && (body as ReceiptBody).kind === 'recorded') return body;
  } catch {
    // The strict reader says what is wrong with it.
  }
  return parseRecord(bytes);
}

/** undefined where the bytes are no receipt, or its routing copies are not those of its body. */
export function readReceipt(record: DecodedRecord<'ReceiptEnvelope'>): ReadReceipt | undefined {
  const { envelope, appendTimeMs } = record;
  try {
    const body = (
      envelope.signature === null ? readUnsigned(envelope.body) : parseRecord(envelope.body)
    ) as ReceiptBody;
    const copiesAgree =
      body.event_id === envelope.event_id &&
      body.tenant === envelope.tenant &&
      body.kind === envelope.kind &&
      body.offset === envelope.offset &&
      body.partition === record.partition;
    if (!copiesAgree) return undefined;
    const block = envelope.signature === null ? undefined : readBlock(envelope.signature);
    return { body, digest: digestOf(envelope.body), block, appendTimeMs };
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
