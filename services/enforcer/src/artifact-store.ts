// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { ArtifactNeed, Artifacts } from '@clyra/core/enforcement/artifacts';
import { ClyraError } from '@clyra/core/kernel/error';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { Policy } from '@clyra/core/policy/policy';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';

/**
 * The documents that records name, read once from the blob store by digest. A document that is not there yet is an
 * error to try again: the partition waits for it, because to decide without it would be a guess.
 */
export class ArtifactStore implements Artifacts {
  readonly #blobs: BlobStore;
  /** null: these bytes are no policy, for every replica alike; a command that names them is refused. */
  readonly #policies = new Map<Digest, Policy | null>();
  readonly #trustRoots = new Map<Digest, TrustRoot | null>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  policy(digest: Digest): Policy | undefined {
    return this.#policies.get(digest) ?? undefined;
  }

  trustRoot(digest: Digest): TrustRoot | undefined {
    return this.#trustRoots.get(digest) ?? undefined;
  }

  missing(needs: readonly ArtifactNeed[]): readonly ArtifactNeed[] {
    return needs.filter(({ kind, digest }) =>
      kind === 'policy' ? !this.#policies.has(digest) : !this.#trustRoots.has(digest),
    );
  }

  /** Throws CLY_ARTIFACT_MISSING or CLY_ARTIFACT_DAMAGED (both retry: backoff: the store may yet get the right bytes). */
  async load(need: ArtifactNeed): Promise<void> {
    const name = `${need.kind === 'policy' ? 'policies' : 'trust-roots'}/${need.digest}`;
    const bytes = await this.#blobs.get(name);
    const context = { kind: need.kind, digest: need.digest };
    if (bytes === undefined) {
      throw new ClyraError('CLY_ARTIFACT_MISSING', `${name} is not in the blob store: put it there`, {
        retry: 'backoff',
        context,
      });
    }
    if (digestOf(bytes) !== need.digest) {
      throw new ClyraError('CLY_ARTIFACT_DAMAGED', `${name} is not what its name says`, { retry: 'backoff', context });
    }
    if (need.kind === 'policy')
      this.#policies.set(
        need.digest,
        ifValid(() => loadPolicy(bytes, need.digest).policy),
      );
    else
      this.#trustRoots.set(
        need.digest,
        ifValid(() => parseTrustRoot(bytes)),
      );
  }
}

function ifValid<Document>(read: () => Document): Document | null {
  try {
    return read();
  } catch (error) {
    if (error instanceof ClyraError && error.retry === 'never') return null;
    throw error;
  }
}
