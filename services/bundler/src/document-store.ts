// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';

const REMEMBERED_MAX = 256;

/** Documents that lines name by digest. One that is not there yet is an error to try again: the line waits for it. */
export class DocumentStore {
  readonly #blobs: BlobStore;
  readonly #policies = new Map<Digest, Uint8Array>();
  readonly #trustRoots = new Map<Digest, TrustRoot>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** Rejects with CLY_DOCUMENT_MISSING or CLY_DOCUMENT_DAMAGED (retry: backoff). */
  async policy(digest: Digest): Promise<Uint8Array> {
    const known = this.#policies.get(digest);
    if (known !== undefined) return known;
    const bytes = await this.#load(`policies/${digest}`, digest);
    remember(this.#policies, digest, bytes);
    return bytes;
  }

  /** As `policy`; throws CLY_TRUST_ROOT_INVALID for a document that is none. */
  async trustRoot(digest: Digest): Promise<TrustRoot> {
    const known = this.#trustRoots.get(digest);
    if (known !== undefined) return known;
    const root = parseTrustRoot(await this.#load(`trust-roots/${digest}`, digest));
    remember(this.#trustRoots, digest, root);
    return root;
  }

  /** A state artifact: named by the state's digest, not by its content's. */
  async state(digest: Digest): Promise<Uint8Array> {
    return this.#get(`states/${digest}`);
  }

  /** A document that lines name; undefined where this installation does not have it, or has another under its name. */
  async document(digest: Digest): Promise<Uint8Array | undefined> {
    const bytes = await this.#blobs.get(`documents/${digest}`);
    return bytes !== undefined && digestOf(bytes) === digest ? bytes : undefined;
  }

  async #load(name: string, digest: Digest): Promise<Uint8Array> {
    const bytes = await this.#get(name);
    if (digestOf(bytes) === digest) return bytes;
    throw new ClyraError('CLY_DOCUMENT_DAMAGED', `${name} is not what its name says: restore it`, {
      retry: 'backoff',
      context: { name },
    });
  }

  async #get(name: string): Promise<Uint8Array> {
    const bytes = await this.#blobs.get(name);
    if (bytes !== undefined) return bytes;
    throw new ClyraError('CLY_DOCUMENT_MISSING', `${name} is not in the blob store yet: put it there`, {
      retry: 'backoff',
      context: { name },
    });
  }
}

function remember<Document>(documents: Map<Digest, Document>, digest: Digest, document: Document): void {
  documents.set(digest, document);
  if (documents.size > REMEMBERED_MAX) documents.delete(documents.keys().next().value as Digest);
}
