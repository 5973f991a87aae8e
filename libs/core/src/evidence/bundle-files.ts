// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { Signer } from '../ports/signer.ts';
import { signCheckpoint } from './checkpoint.ts';
import type { SealedRange } from './sealed-range.ts';
import { BUNDLE_PREDICATE, encodeStatement, signEnvelope } from './statement.ts';
import { verifyText } from './verify-text.ts';

/** Keys of the roles log and bundler. */
export type BundleSigners = { readonly log: Signer; readonly bundler: Signer };

export type BundleSeals = {
  readonly verifyText: Uint8Array;
  readonly checkpoint: Uint8Array;
  readonly envelope: Uint8Array;
};

/**
 * What stands beside journal, artifacts and manifest (docs/spec/bundle.md §2). Ed25519 is deterministic, so the same
 * range and keys give the same bytes on every machine.
 */
export async function sealBundle(
  sealed: SealedRange,
  manifest: { readonly bytes: Uint8Array; readonly origin: string },
  signers: BundleSigners,
): Promise<BundleSeals> {
  const { origin } = manifest;
  const { start, end, root, tenant, trustRoot } = sealed;
  const manifestDigest = digestOf(manifest.bytes);
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: manifestDigest,
    predicateType: BUNDLE_PREDICATE,
    predicate: { origin, range: { start, end }, root },
  });
  return {
    verifyText: Buffer.from(verifyText({ tenant, origin, start, end, trustRoot, manifestDigest }), 'utf8'),
    checkpoint: await signCheckpoint({ origin, size: end, root }, signers.log),
    envelope: await signEnvelope(statement, signers.bundler),
  };
}
