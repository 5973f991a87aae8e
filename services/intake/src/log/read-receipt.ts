// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { parseRecord } from '@clyra/core/canonical/record';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { SignatureBlock } from '@clyra/core/signing/batch-signature';
import { parseBlock } from '@clyra/core/signing/parse-block';
import type { DecodedRecord } from './partition-queue.ts';

export type ReadReceipt = {
  readonly body: ReceiptBody;
  readonly digest: Digest;
  /** undefined for a recorded body, which has no signature. */
  readonly block: SignatureBlock | undefined;
  readonly appendTimeMs: number;
};

/** undefined where the bytes are no receipt, or its routing copies are not those of its body. */
export function readReceipt(record: DecodedRecord<'ReceiptEnvelope'>): ReadReceipt | undefined {
  const { envelope, appendTimeMs } = record;
  try {
    const body = parseRecord(envelope.body) as unknown as ReceiptBody;
    const copiesAgree =
      body.event_id === envelope.event_id &&
      body.tenant === envelope.tenant &&
      body.kind === envelope.kind &&
      body.offset === envelope.offset &&
      body.partition === record.partition;
    if (!copiesAgree) return undefined;
    const block = envelope.signature === null ? undefined : parseBlock(parseRecord(envelope.signature));
    return { body, digest: digestOf(envelope.body), block, appendTimeMs };
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
