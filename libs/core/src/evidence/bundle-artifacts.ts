// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import { ClyraError } from '../kernel/error.ts';
import type { Artifact, ArtifactKind } from './manifest.ts';
import type { NamedDocument } from './range-documents.ts';
import type { SealedRange } from './sealed-range.ts';
import { stateDigestOf } from './state-artifact.ts';

export type BundleDocuments = {
  /** The policy documents in force, by digest. */
  readonly policies: ReadonlyMap<Digest, Uint8Array>;
  /** The state artifact of the previous sealed cut; null at start 0. */
  readonly state: Uint8Array | null;
};

export type ArtifactFile = Artifact & { readonly bytes: Uint8Array };

/**
 * What every bundle of this range must carry, each checked against what the lines commit to, ascending by digest.
 * Throws CLY_BUNDLE_STATE or CLY_BUNDLE_POLICY where a document is another than its name says.
 */
export function artifactsOf(sealed: SealedRange, { policies, state }: BundleDocuments): readonly ArtifactFile[] {
  const files = new Map<Digest, ArtifactFile>();
  const add = (kind: ArtifactKind, bytes: Uint8Array): void => {
    const sha256 = digestOf(bytes);
    files.set(sha256, { kind, sha256, size: bytes.length, bytes });
  };
  if (sealed.openingState !== null) {
    if (state === null || stateDigestOf(state) !== sealed.openingState) {
      throw damaged('CLY_BUNDLE_STATE', `states/${sealed.openingState}`);
    }
    add('state', state);
  }
  if (sealed.openingLedger !== null) add('ledger', sealed.openingLedger);
  add('ledger', sealed.closingLedger);
  for (const digest of sealed.policies) {
    const bytes = policies.get(digest);
    if (bytes === undefined || digestOf(bytes) !== digest) throw damaged('CLY_BUNDLE_POLICY', `policies/${digest}`);
    add('policy', bytes);
  }
  return byDigest([...files.values()]);
}

/** Documents that the lines name and that are no artifact for another reason, each once. */
export function documentsBeside(sealed: SealedRange, files: readonly Artifact[]): readonly NamedDocument[] {
  const known = new Set(files.map(({ sha256 }) => sha256));
  return sealed.documents.list.filter(({ sha256 }) => !known.has(sha256));
}

/** As a manifest lists them: ascending by digest. */
export function artifactList(files: readonly Artifact[], documents: readonly NamedDocument[]): readonly Artifact[] {
  const all = [...files, ...documents.map((document) => ({ kind: 'document' as const, ...document }))];
  return byDigest(all);
}

function byDigest<One extends Artifact>(artifacts: readonly One[]): readonly One[] {
  return artifacts.toSorted((left, right) => (left.sha256 < right.sha256 ? -1 : 1));
}

function damaged(code: 'CLY_BUNDLE_STATE' | 'CLY_BUNDLE_POLICY', name: string): ClyraError {
  return new ClyraError(code, `${name} is not what its name says: restore the blob and start the bundler again`, {
    retry: 'never',
    context: { name },
  });
}
