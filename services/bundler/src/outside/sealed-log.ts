// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { bundleLocation, parseCheckpointName } from '@clyra/core/evidence/bundle-names';
import { MANIFEST_BYTES_MAX } from '@clyra/core/evidence/manifest';
import { ClyraError } from '@clyra/core/kernel/error';
import { leafHash } from '@clyra/core/merkle/hash';
import { consistencySpans, SpanRoots } from '@clyra/core/merkle/spans';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { DocumentStore } from '../document-store.ts';
import { type JournalFile, journalLines } from './journal-lines.ts';

/** A bundle that is whole. */
export type Sealed = { readonly tenant: string; readonly start: number; readonly end: number };

const MANIFEST_LIMITS = { bytesMax: MANIFEST_BYTES_MAX, depthMax: 16, valuesMax: 200_000 };

/** What the blob store holds of sealed logs, as somebody outside of the fold needs it. */
export class SealedLog {
  readonly #blobs: BlobStore;
  readonly #documents: DocumentStore;

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
    this.#documents = new DocumentStore(blobs);
  }

  /** Every bundle of every tenant, in the order of its log; the newest may not be whole yet. */
  async checkpointed(): Promise<readonly Sealed[]> {
    const bundles: Sealed[] = [];
    const ends = new Map<string, number>();
    for (const name of await this.#blobs.list('checkpoints/')) {
      const found = parseCheckpointName(name);
      if (found === undefined) continue;
      bundles.push({ ...found, start: ends.get(found.tenant) ?? 0 });
      ends.set(found.tenant, found.end);
    }
    return bundles;
  }

  isWhole(bundle: Sealed): Promise<boolean> {
    return this.#blobs.has(`${locationOf(bundle)}/manifest.dsse.json`);
  }

  /** The sealed checkpoint (docs/spec/trust.md §6): a checkpoint in the store has the log's own line and no other. */
  async checkpoint(bundle: Sealed): Promise<Uint8Array> {
    return this.#need(`${locationOf(bundle)}/checkpoint`);
  }

  async trustRoot(bundle: Sealed): Promise<TrustRoot> {
    const { trust_root: digest } = await this.#manifest(bundle);
    return this.#documents.trustRoot(String(digest));
  }

  /**
   * That the tree at the end of the bundle extends the one of `oldSize` leaves, at which an earlier bundle ended. Journals
   * are read piece by piece, all of them together for as long as they are large: `goOn` is asked before each, and may throw.
   * Rejects with CLY_DOCUMENT_DAMAGED where one is not what its manifest says.
   */
  async proofFrom(oldSize: number, bundle: Sealed, goOn: () => void): Promise<readonly Digest[]> {
    if (oldSize === bundle.end) return [];
    const path = await this.#bundlesBetween(oldSize, bundle);
    const { frontier } = await this.#manifest(path[0] as Sealed);
    const spans = consistencySpans(oldSize, bundle.end);
    const roots = new SpanRoots(spans, { start: oldSize, frontier: frontier as readonly Digest[] });
    for (const one of path) {
      for await (const lines of journalLines(this.#blobs, await this.#journal(one))) {
        goOn();
        for (const line of lines) roots.append(leafHash(line));
      }
    }
    return roots.roots();
  }

  async #bundlesBetween(oldSize: number, bundle: Sealed): Promise<readonly Sealed[]> {
    const own = (await this.checkpointed()).filter(({ tenant, start, end }) => {
      return tenant === bundle.tenant && start >= oldSize && end <= bundle.end;
    });
    if (own[0]?.start === oldSize && own.at(-1)?.end === bundle.end) return own;
    throw new ClyraError(
      'CLY_WITNESS_POSITION',
      `a witness knows ${bundle.tenant} at ${oldSize} leaves, where no bundle ends: find out which log it saw`,
      { retry: 'never', context: { tenant: bundle.tenant, size: oldSize } },
    );
  }

  async #manifest(bundle: Sealed): Promise<JsonObject> {
    const manifest = parseJson(await this.#need(`${locationOf(bundle)}/manifest.json`), MANIFEST_LIMITS);
    return isJsonObject(manifest) ? manifest : {};
  }

  async #journal(bundle: Sealed): Promise<JournalFile> {
    const { journal } = await this.#manifest(bundle);
    const { sha256, size } = isJsonObject(journal) ? journal : {};
    return { name: `${locationOf(bundle)}/journal.jsonl`, sha256: String(sha256), size: Number(size) };
  }

  async #need(name: string): Promise<Uint8Array> {
    const bytes = await this.#blobs.get(name);
    if (bytes !== undefined) return bytes;
    throw new ClyraError('CLY_DOCUMENT_MISSING', `${name} is not in the blob store: restore it`, {
      retry: 'backoff',
      context: { name },
    });
  }
}

export function locationOf({ tenant, start, end }: Sealed): string {
  return bundleLocation(tenant, { start, end });
}
