// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { activationOf, guardedOf } from '@clyra/core/evidence/activation';
import { afterBundle, FIRST_PLACE } from '@clyra/core/evidence/bundle-log';
import { bundleLocation } from '@clyra/core/evidence/bundle-names';
import { JournalFold } from '@clyra/core/evidence/journal-fold';
import type { SourceLine } from '@clyra/core/evidence/journal-line';
import type { LineSignatures } from '@clyra/core/evidence/line-signatures';
import { readManifestHead } from '@clyra/core/evidence/manifest';
import type { SealedRange } from '@clyra/core/evidence/sealed-range';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { Persistence } from '@clyra/runtime/persistence';
import type { BundleWriter, WrittenBundle } from './bundle-writer.ts';
import type { DocumentStore } from './document-store.ts';
import { LineSpool } from './line-spool.ts';
import type { TenantHistory } from './sealed-history.ts';

export type TenantLogOptions = {
  readonly tenant: string;
  readonly history: TenantHistory | undefined;
  readonly blobs: BlobStore;
  readonly documents: DocumentStore;
  readonly persistence: Persistence;
  readonly signatures: LineSignatures;
  readonly writer: BundleWriter;
  readonly spoolBytesMax: number;
  /** Called for each whole bundle from the newest of the past on; it was told before when a start repeats it. */
  readonly onBundle: (bundle: WrittenBundle) => Promise<void>;
};

/**
 * One tenant's log as read back from clyra.journal: folds its lines, spools those of the open range, seals at cuts.
 * Ranges that were sealed before this start are folded only to see that the log still leads to the same roots.
 */
export class TenantLog {
  readonly fold: JournalFold;
  readonly #options: TenantLogOptions;
  readonly #spool: LineSpool;
  #trustRoot: TrustRoot | undefined;
  #previousManifest: Digest | null = null;
  #bundleLog = FIRST_PLACE;
  #newest: WrittenBundle | undefined;

  constructor(options: TenantLogOptions) {
    this.#options = options;
    this.fold = new JournalFold(options.tenant);
    this.#spool = new LineSpool(options.blobs, options.spoolBytesMax);
  }

  get trustRoot(): TrustRoot | undefined {
    return this.#trustRoot;
  }

  get newestBundle(): WrittenBundle | undefined {
    return this.#newest;
  }

  async accept(line: SourceLine): Promise<void> {
    const { documents, persistence, signatures } = this.#options;
    const needs = activationOf(line);
    if (needs.trustRoot !== undefined) {
      const digest = needs.trustRoot;
      this.#trustRoot = await persistence.until(`trust-roots/${digest}`, () => documents.trustRoot(digest));
    }
    const isOld = this.fold.size < this.#wholeEnd;
    // What was sealed was checked before it was sealed, and its root is compared.
    if (!isOld && this.#trustRoot !== undefined) signatures.check(line, this.#trustRoot);
    const step = this.fold.push(line, await this.#guarded(needs.policy));
    if (!isOld) {
      for (const leaf of step.leaves) this.#spool.append(leaf);
      if (this.#spool.isFull) await persistence.until('spool', () => this.#spool.spill());
    }
    if (step.sealed !== undefined) await this.#sealed(step.sealed);
  }

  /** Throws CLY_LOG_DAMAGED where the journal, read to its end, does not reach what was signed. */
  requireWhole(end: number): void {
    if (this.fold.size < end) throw this.#damaged(`ends at leaf ${this.fold.size}, before the checkpoint at ${end}`);
  }

  get #wholeEnd(): number {
    return this.#options.history?.wholeEnd ?? 0;
  }

  async #guarded(policy: Digest | undefined): Promise<ReturnType<typeof guardedOf> | undefined> {
    if (policy === undefined) return undefined;
    const { documents, persistence } = this.#options;
    const document = await persistence.until(`policies/${policy}`, () => documents.policy(policy));
    return guardedOf(policy, document);
  }

  async #sealed(sealed: SealedRange): Promise<void> {
    this.#requireExtension(sealed);
    if (sealed.start < this.#wholeEnd && this.#wholeEnd < sealed.end) {
      throw this.#damaged(`has no cut where the bundle before ${sealed.end} ends`);
    }
    if (sealed.end < this.#wholeEnd) return;
    const bundle = sealed.end === this.#wholeEnd ? await this.#read(sealed) : await this.#write(sealed);
    this.#previousManifest = bundle.manifestDigest;
    this.#bundleLog = bundle.nextPlace;
    this.#newest = bundle;
    await this.#options.onBundle(bundle);
  }

  /** A new checkpoint is signed only on the way through the last one. */
  #requireExtension({ start, end, root }: SealedRange): void {
    const last = this.#options.history?.last;
    if (last === undefined || end < last.size || start >= last.size) return;
    if (end !== last.size || root !== last.root) throw this.#damaged(`does not lead to the checkpoint at ${last.size}`);
  }

  async #write(sealed: SealedRange): Promise<WrittenBundle> {
    const { writer } = this.#options;
    if (this.#trustRoot === undefined) throw this.#damaged('seals a range before it names a trust root');
    const bundle = await writer.write({
      sealed,
      spool: this.#spool,
      trustRoot: this.#trustRoot,
      previousManifest: this.#previousManifest,
      bundleLog: this.#bundleLog,
    });
    this.#spool.clear();
    return bundle;
  }

  /** The newest bundle of the past: its manifest is what the next one names. */
  async #read(sealed: SealedRange): Promise<WrittenBundle> {
    const { blobs, persistence } = this.#options;
    const { tenant, start, end } = sealed;
    const location = bundleLocation(tenant, { start, end });
    const bytes = await persistence.until(location, () => blobs.get(`${location}/manifest.json`));
    const head = bytes === undefined ? undefined : readManifestHead(bytes);
    if (bytes === undefined || head === undefined || head.closing_ledger !== digestOf(sealed.closingLedger)) {
      throw this.#damaged(`does not give the ledger of ${location}`);
    }
    const { origin, root, bundle_log: place } = head;
    const manifestDigest = digestOf(bytes);
    const { next } = afterBundle(place, { manifest: manifestDigest, origin, range: { start, end }, root });
    return { tenant, origin, start, end, manifestDigest, location, nextPlace: next };
  }

  #damaged(what: string): ClyraError {
    return new ClyraError(
      'CLY_LOG_DAMAGED',
      `the journal of tenant ${this.fold.tenant} ${what}: nothing is signed; restore the topic, or open a new origin that names the old`,
      { retry: 'never', context: { tenant: this.fold.tenant, leaves: this.fold.size } },
    );
  }
}
