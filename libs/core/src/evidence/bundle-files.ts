// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { Signer } from '../ports/signer.ts';
import { afterBundle, type BundlePlace, bundleLogOrigin } from './bundle-log.ts';
import { signCheckpoint } from './checkpoint.ts';
import type { SealedRange } from './sealed-range.ts';
import { BUNDLE_PREDICATE, encodeStatement, signEnvelope } from './statement.ts';
import { verifyText } from './verify-text.ts';

/** Keys of the roles log and bundler. */
export type BundleSigners = { readonly log: Signer; readonly bundler: Signer };

export type BundleSeals = {
  readonly verifyText: Uint8Array;
  readonly checkpoint: Uint8Array;
  readonly bundleLogCheckpoint: Uint8Array;
  readonly envelope: Uint8Array;
  /** Of the bundle that comes next. */
  readonly nextPlace: BundlePlace;
};

/** A manifest as it was written, and what it says of itself. */
export type MadeManifest = {
  readonly bytes: Uint8Array;
  readonly origin: string;
  readonly bundleLog: BundlePlace;
};

/**
 * What stands beside journal, artifacts and manifest (docs/spec/bundle.md §1). Ed25519 is deterministic, so the same
 * range and keys give the same bytes on every machine.
 */
export async function sealBundle(
  sealed: SealedRange,
  manifest: MadeManifest,
  signers: BundleSigners,
): Promise<BundleSeals> {
  const { origin } = manifest;
  const { start, end, root, tenant, trustRoot, profiles } = sealed;
  const manifestDigest = digestOf(manifest.bytes);
  const range = { start, end };
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: manifestDigest,
    predicateType: BUNDLE_PREDICATE,
    predicate: { origin, profiles, range, root },
  });
  const log = afterBundle(manifest.bundleLog, { manifest: manifestDigest, origin, range, root });
  const bundleHead = { origin: bundleLogOrigin(origin), size: log.size, root: log.root };
  return {
    verifyText: Buffer.from(verifyText({ tenant, origin, start, end, trustRoot, manifestDigest }), 'utf8'),
    checkpoint: await signCheckpoint({ origin, size: end, root }, signers.log),
    bundleLogCheckpoint: await signCheckpoint(bundleHead, signers.log),
    envelope: await signEnvelope(statement, signers.bundler),
    nextPlace: log.next,
  };
}
