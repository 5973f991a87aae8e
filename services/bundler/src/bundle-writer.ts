// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { type ArtifactFile, artifactList, artifactsOf, documentsBeside } from '@clyra/core/evidence/bundle-artifacts';
import { sealBundle } from '@clyra/core/evidence/bundle-files';
import type { BundlePlace } from '@clyra/core/evidence/bundle-log';
import { bundleLocation, checkpointName } from '@clyra/core/evidence/bundle-names';
import { parseCheckpoint, type TreeHead } from '@clyra/core/evidence/checkpoint';
import { encodeManifest, sameRange } from '@clyra/core/evidence/manifest';
import type { NamedDocument } from '@clyra/core/evidence/range-documents';
import type { SealedRange } from '@clyra/core/evidence/sealed-range';
import { ClyraError } from '@clyra/core/kernel/error';
import { keyFor, type Role, type TrustRoot } from '@clyra/core/signing/trust-root';
import type { Persistence } from '@clyra/runtime/persistence';
import type { BundlerOptions } from './bundler-options.ts';
import type { DocumentStore } from './document-store.ts';
import type { LineSpool } from './line-spool.ts';

/** A larger document is named by its digest, and not carried. */
const DOCUMENT_BYTES_MAX = 67_108_864;

export type WrittenBundle = {
  readonly tenant: string;
  readonly origin: string;
  readonly start: number;
  readonly end: number;
  readonly manifestDigest: Digest;
  readonly location: string;
  /** Of the bundle that comes next in the tenant's log of bundles. */
  readonly nextPlace: BundlePlace;
};

export type WriteRequest = {
  readonly sealed: SealedRange;
  readonly spool: LineSpool;
  readonly trustRoot: TrustRoot;
  readonly previousManifest: Digest | null;
  readonly bundleLog: BundlePlace;
};

type Put = {
  readonly name: string;
  readonly content: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** Whether other bytes that stand there already say the same; absent where none do. */
  readonly isSame?: (found: Uint8Array) => boolean;
};

/**
 * Writes a sealed range to the blob store. The envelope comes last and makes the bundle whole; a second writer, or the
 * same one after a crash, writes the same bytes or finishes what it finds, and anything else is a fork.
 */
export class BundleWriter {
  readonly #options: BundlerOptions;
  readonly #documents: DocumentStore;
  readonly #persistence: Persistence;

  constructor(options: BundlerOptions, documents: DocumentStore, persistence: Persistence) {
    this.#options = options;
    this.#documents = documents;
    this.#persistence = persistence;
  }

  async write({ sealed, spool, trustRoot, previousManifest, bundleLog }: WriteRequest): Promise<WrittenBundle> {
    this.#checkKeys(sealed, trustRoot);
    const { tenant, start, end } = sealed;
    const location = bundleLocation(tenant, { start, end });
    const origin = `${trustRoot.logOrigin}/${tenant}`;
    const files = await this.#files(sealed);
    await this.#put({ name: `${location}/journal.jsonl`, content: () => spool.content() });
    for (const { sha256, bytes } of files) await this.#putArtifact(location, sha256, bytes);
    const artifacts = artifactList(files, await this.#putDocuments(location, documentsBeside(sealed, files)));
    const { separation, producer } = this.#options;
    const made = encodeManifest(sealed, { origin, artifacts, separation, bundleLog, previousManifest, producer });
    const isSame = (found: Uint8Array): boolean => sameRange(found, made);
    const manifest = await this.#put({ name: `${location}/manifest.json`, content: made, isSame });
    const seals = await sealBundle(sealed, { bytes: manifest, origin, bundleLog }, this.#options.signers);
    await this.#put({ name: `${location}/VERIFY.md`, content: seals.verifyText, isSame: () => true });
    const sameHead = sameHeadAs({ origin, size: end, root: sealed.root });
    await this.#put({ name: checkpointName(tenant, end), content: seals.checkpoint, isSame: sameHead });
    await this.#put({ name: `${location}/checkpoint`, content: seals.checkpoint, isSame: sameHead });
    const isSameLog = sameHeadAs(parseCheckpoint(seals.bundleLogCheckpoint));
    const bundleLogName = `${location}/bundle-log.checkpoint`;
    await this.#put({ name: bundleLogName, content: seals.bundleLogCheckpoint, isSame: isSameLog });
    await this.#put({ name: `${location}/manifest.dsse.json`, content: seals.envelope });
    return { tenant, origin, start, end, manifestDigest: digestOf(manifest), location, nextPlace: seals.nextPlace };
  }

  async #files(sealed: SealedRange): Promise<readonly ArtifactFile[]> {
    const policies = new Map<Digest, Uint8Array>();
    for (const digest of sealed.policies) {
      const bytes = await this.#persistence.until(`policies/${digest}`, () => this.#documents.policy(digest));
      policies.set(digest, bytes);
    }
    const { openingState } = sealed;
    const state =
      openingState === null
        ? null
        : await this.#persistence.until(`states/${openingState}`, () => this.#documents.state(openingState));
    return artifactsOf(sealed, { policies, state });
  }

  /** One after the other: a range may name thousands of megabytes. Returns those that are in the bundle now. */
  async #putDocuments(location: string, named: readonly NamedDocument[]): Promise<readonly NamedDocument[]> {
    const held: NamedDocument[] = [];
    for (const { sha256, size } of named) {
      if (size > DOCUMENT_BYTES_MAX) continue;
      const bytes = await this.#persistence.until(`documents/${sha256}`, () => this.#documents.document(sha256));
      if (bytes?.length !== size) continue;
      await this.#putArtifact(location, sha256, bytes);
      held.push({ sha256, size });
    }
    return held;
  }

  async #putArtifact(location: string, sha256: Digest, content: Uint8Array): Promise<void> {
    await this.#put({ name: `${location}/artifacts/${sha256}`, content });
  }

  /** Returns the bytes that stand under the name afterwards. */
  async #put({ name, content, isSame }: Put): Promise<Uint8Array> {
    const bytes = content instanceof Uint8Array ? content : undefined;
    try {
      await this.#persistence.until(name, () =>
        this.#options.blobs.put(name, content instanceof Uint8Array ? content : content()),
      );
      return bytes ?? new Uint8Array();
    } catch (error) {
      if (!(error instanceof ClyraError) || error.code !== 'CLY_BLOB_CONFLICT') throw error;
      // A journal that would be no fork is not read for that: it may be larger than memory.
      const get = (): Promise<Uint8Array | undefined> => this.#options.blobs.get(name);
      const found = isSame === undefined ? undefined : await this.#persistence.until(name, get);
      if (found !== undefined && isSame?.(found) === true) return found;
      throw new ClyraError(
        'CLY_BUNDLE_FORKED',
        `${name} exists and says something else than this log: compare both journals before anything is signed`,
        { retry: 'never', context: { name }, cause: error },
      );
    }
  }

  /** A bundle signed by keys that its tenant does not trust would be worthless: better late than wrong. */
  #checkKeys(sealed: SealedRange, trustRoot: TrustRoot): void {
    const { log, bundler } = this.#options.signers;
    const uses: readonly (readonly [Role, string])[] = [
      ['log', log.keyId],
      ['bundler', bundler.keyId],
    ];
    for (const [role, keyId] of uses) {
      if (keyFor(trustRoot, { keyId, role, atMs: sealed.appendTimeMs }) !== undefined) continue;
      throw new ClyraError(
        'CLY_BUNDLE_KEY_UNTRUSTED',
        `key ${keyId} has no valid role ${role} in the trust root of ${sealed.tenant}: give this bundler the right key`,
        { retry: 'never', context: { tenant: sealed.tenant, role, key_id: keyId } },
      );
    }
  }
}

/** A checkpoint that stands there already may have been signed by another key of the same log. */
function sameHeadAs(head: TreeHead): (found: Uint8Array) => boolean {
  return (found) => {
    const other = parseCheckpoint(found);
    return other.origin === head.origin && other.size === head.size && other.root === head.root;
  };
}
