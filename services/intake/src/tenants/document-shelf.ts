// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { type PolicyInForce, preparePolicy } from '@clyra/core/inspection/policy-in-force';
import { ClyraError } from '@clyra/core/kernel/error';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';

export const POLICY_FOLDER = 'policies';
export const TRUST_ROOT_FOLDER = 'trust-roots';

const KEPT_MAX = 256;

/** Policies and trust roots by digest, read once from the blob store. */
export class DocumentShelf {
  readonly #blobs: BlobStore;
  readonly #policies = new Map<Digest, PolicyInForce>();
  readonly #trustRoots = new Map<Digest, TrustRoot>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Rejects with CLY_DOCUMENT_MISSING (retry: backoff), CLY_BLOB_UNAVAILABLE, or as loadPolicy throws. */
  async policy(digest: Digest): Promise<PolicyInForce> {
    return this.#policies.get(digest) ?? keep(this.#policies, digest, await this.#readPolicy(digest));
  }

  /** Rejects as `policy` does, or as parseTrustRoot throws. */
  async trustRoot(digest: Digest): Promise<TrustRoot> {
    return this.#trustRoots.get(digest) ?? keep(this.#trustRoots, digest, await this.#readTrustRoot(digest));
  }

  async #readPolicy(digest: Digest): Promise<PolicyInForce> {
    return preparePolicy(loadPolicy(await this.#read(POLICY_FOLDER, digest), digest));
  }

  async #readTrustRoot(digest: Digest): Promise<TrustRoot> {
    const bytes = await this.#read(TRUST_ROOT_FOLDER, digest);
    if (digestOf(bytes) !== digest) {
      throw new ClyraError('CLY_DOCUMENT_DIGEST', `the stored trust root is not ${digest}: restore it`, {
        retry: 'never',
      });
    }
    return parseTrustRoot(bytes);
  }

  async #read(folder: string, digest: Digest): Promise<Uint8Array> {
    const bytes = await this.#blobs.get(`${folder}/${digest}`);
    if (bytes !== undefined) return bytes;
    throw new ClyraError('CLY_DOCUMENT_MISSING', `${folder}/${digest} is not in the blob store: send it again`, {
      retry: 'backoff',
      context: { folder, digest },
    });
  }
}

function keep<Value>(shelf: Map<Digest, Value>, digest: Digest, value: Value): Value {
  if (shelf.size >= KEPT_MAX) shelf.delete(shelf.keys().next().value as Digest);
  shelf.set(digest, value);
  return value;
}
