// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import { ClyraError } from '../kernel/error.ts';
import type { Signer } from '../ports/signer.ts';
import { signCheckpoint } from './checkpoint.ts';
import { type Artifact, type ArtifactKind, encodeManifest, type Separation } from './manifest.ts';
import type { SealedRange } from './sealed-range.ts';
import { stateDigestOf } from './state-artifact.ts';
import { BUNDLE_PREDICATE, encodeStatement, signEnvelope } from './statement.ts';
import { verifyText } from './verify-text.ts';

export type BundleSources = {
  readonly logOrigin: string;
  readonly separation: Separation;
  readonly previousManifest: Digest | null;
  readonly producer: { readonly name: string; readonly version: string };
  /** The policy documents in force, by digest. */
  readonly policies: ReadonlyMap<Digest, Uint8Array>;
  /** The state artifact of the previous sealed cut; null at start 0. */
  readonly state: Uint8Array | null;
  /** Roles log and bundler. */
  readonly signers: { readonly log: Signer; readonly bundler: Signer };
};

export type BundleFile = { readonly name: string; readonly bytes: Uint8Array };

export type Bundle = {
  readonly manifestDigest: Digest;
  readonly origin: string;
  /** All files but journal.jsonl, in the order in which they must become durable: manifest.dsse.json is the last. */
  readonly files: readonly BundleFile[];
  readonly checkpoint: Uint8Array;
};

/**
 * The files of a bundle (docs/spec/bundle.md §2) but its journal, which is streamed. The same range and documents give
 * the same bytes on every machine. Throws CLY_BUNDLE_STATE, CLY_BUNDLE_POLICY, CLY_BUNDLE_MANIFEST_SIZE.
 */
export async function buildBundle(sealed: SealedRange, sources: BundleSources): Promise<Bundle> {
  const origin = `${sources.logOrigin}/${sealed.tenant}`;
  const contents = artifactsOf(sealed, sources);
  const artifacts: Artifact[] = [...contents].map(([sha256, { kind, bytes }]) => ({ kind, sha256, size: bytes.length }));
  const { separation, previousManifest, producer } = sources;
  const manifest = encodeManifest(sealed, { origin, artifacts, separation, previousManifest, producer });
  const manifestDigest = digestOf(manifest);
  const { start, end, root, tenant, trustRoot } = sealed;
  const text = verifyText({ tenant, origin, start, end, trustRoot, manifestDigest });
  const checkpoint = await signCheckpoint({ origin, size: end, root }, sources.signers.log);
  const statement = encodeStatement({
    subjectName: 'manifest.json',
    subjectDigest: manifestDigest,
    predicateType: BUNDLE_PREDICATE,
    predicate: { origin, range: { start, end }, root },
  });
  const files = [
    ...[...contents].map(([sha256, { bytes }]) => ({ name: `artifacts/${sha256}`, bytes })),
    { name: 'VERIFY.md', bytes: Buffer.from(text, 'utf8') },
    { name: 'manifest.json', bytes: manifest },
    { name: 'checkpoint', bytes: checkpoint },
    { name: 'manifest.dsse.json', bytes: await signEnvelope(statement, sources.signers.bundler) },
  ];
  return { manifestDigest, origin, files, checkpoint };
}

type Content = { readonly kind: ArtifactKind; readonly bytes: Uint8Array };

function artifactsOf(sealed: SealedRange, { policies, state }: BundleSources): ReadonlyMap<Digest, Content> {
  const contents = new Map<Digest, Content>();
  const add = (kind: ArtifactKind, bytes: Uint8Array): void => {
    contents.set(digestOf(bytes), { kind, bytes });
  };
  if (sealed.openingState !== null) {
    if (state === null || stateDigestOf(state) !== sealed.openingState) {
      throw missing('CLY_BUNDLE_STATE', `states/${sealed.openingState} is not the state that the previous cut names`);
    }
    add('state', state);
  }
  if (sealed.openingLedger !== null) add('ledger', sealed.openingLedger);
  add('ledger', sealed.closingLedger);
  for (const digest of sealed.policies) {
    const bytes = policies.get(digest);
    if (bytes === undefined || digestOf(bytes) !== digest) {
      throw missing('CLY_BUNDLE_POLICY', `policies/${digest} is not the policy of that digest`);
    }
    add('policy', bytes);
  }
  return contents;
}

function missing(code: 'CLY_BUNDLE_STATE' | 'CLY_BUNDLE_POLICY', message: string): ClyraError {
  return new ClyraError(code, `${message}: restore the blob, the bundle waits for it`, { retry: 'never' });
}
