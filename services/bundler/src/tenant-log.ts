// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { foreignPosition } from '@clyra/core/change/log-position';
import { activationOf, guardedOf } from '@clyra/core/evidence/activation';
import { afterBundle, FIRST_PLACE } from '@clyra/core/evidence/bundle-log';
import { bundleLocation } from '@clyra/core/evidence/bundle-names';
import { JournalFold } from '@clyra/core/evidence/journal-fold';
import { parseSourceLine, type SourceLine } from '@clyra/core/evidence/journal-line';
import { parseLedger } from '@clyra/core/evidence/ledger';
import type { LineSignatures } from '@clyra/core/evidence/line-signatures';
import { type ManifestHead, readManifestHead } from '@clyra/core/evidence/manifest';
import type { SealedRange } from '@clyra/core/evidence/sealed-range';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { Persistence } from '@clyra/runtime/persistence';
import type { BundleWriter, WrittenBundle } from './bundle-writer.ts';
import type { DocumentStore } from './document-store.ts';
import { LineSpool } from './line-spool.ts';
import { CarriedLines } from './position/carried-lines.ts';
import type { JournalMark, TenantPosition } from './position/lane-position.ts';
import type { TenantHistory } from './sealed-history.ts';

export type TenantLogOptions = {
  readonly tenant: string;
  readonly history: TenantHistory | undefined;
  /** Where its open range begins in the journal. */
  readonly cut: JournalMark;
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
  /** Where its open range begins in the journal: lines before it are in the bundles. */
  cut: JournalMark;
  readonly #options: TenantLogOptions;
  readonly #spool: LineSpool;
  readonly #carried = new CarriedLines();
  #fold: JournalFold;
  #range: { readonly start: number; readonly end: number } | undefined;
  #trustRoot: TrustRoot | undefined;
  #nextOffset = 0;
  #previousManifest: Digest | null = null;
  #bundleLog = FIRST_PLACE;
  #newest: WrittenBundle | undefined;

  constructor(options: TenantLogOptions) {
    this.#options = options;
    this.cut = options.cut;
    this.#fold = new JournalFold(options.tenant);
    this.#spool = new LineSpool(options.blobs, options.spoolBytesMax);
  }

  get fold(): JournalFold {
    return this.#fold;
  }

  get trustRoot(): TrustRoot | undefined {
    return this.#trustRoot;
  }

  get newestBundle(): WrittenBundle | undefined {
    return this.#newest;
  }

  /** Goes on where a saved position ends, once it is seen to be that of the bundle which stands there. */
  async resume({ tenant, from, bundle, carried }: TenantPosition): Promise<void> {
    if (bundle !== null) {
      const { documents, persistence, signatures } = this.#options;
      const { start, end, frontier } = bundle;
      const location = bundleLocation(tenant, { start, end });
      const ledger = Buffer.from(bundle.ledger, 'utf8');
      const head = await this.#manifestOf(location);
      if (head?.closing_ledger !== digestOf(ledger)) throw this.#foreign(location);
      const opening = { streamId: head.stream_id, size: end, frontier, ledger: parseLedger(ledger), state: head.state };
      this.#fold = new JournalFold(tenant, opening);
      if (this.#fold.root() !== head.root) throw this.#foreign(location);
      this.#trustRoot = await persistence.until(`trust-roots/${head.trust_root}`, () =>
        documents.trustRoot(head.trust_root),
      );
      signatures.resume(tenant, this.#trustRoot, opening.ledger.delegations);
      this.#range = { start, end };
      this.#goOnAfter(bundleOf(head, location));
    }
    for (const line of carried) await this.accept(parseSourceLine(Buffer.from(line, 'utf8')));
    this.#nextOffset = from.next_offset;
  }

  /** Whether a saved position covers the line at this offset of the journal. */
  covers(offset: number): boolean {
    return offset < this.#nextOffset;
  }

  /** What a start needs to go on here; `now` is where the journal has been read to. */
  position(now: JournalMark): TenantPosition {
    const { start: end, frontier, ledger } = this.#fold.opening;
    const lines = this.#carried.lines;
    const range = this.#range;
    const isSealed = range !== undefined && ledger !== null;
    return {
      tenant: this.#fold.tenant,
      from: lines === undefined ? this.cut : now,
      cut: this.cut,
      bundle: isSealed ? { start: range.start, end, frontier, ledger: Buffer.from(ledger).toString('utf8') } : null,
      carried: (lines ?? []).map((line) => Buffer.from(line).toString('utf8')),
    };
  }

  /** True where the line was a cut that sealed a range, once its bundle stands. */
  async accept(line: SourceLine): Promise<boolean> {
    const { documents, persistence, signatures } = this.#options;
    const needs = activationOf(line);
    if (needs.trustRoot !== undefined) {
      const digest = needs.trustRoot;
      this.#trustRoot = await persistence.until(`trust-roots/${digest}`, () => documents.trustRoot(digest));
    }
    const isOld = this.#fold.size < this.#wholeEnd;
    // What was sealed was checked before it was sealed, and its root is compared.
    if (!isOld && this.#trustRoot !== undefined) signatures.check(line, this.#trustRoot);
    const step = this.#fold.push(line, await this.#guarded(needs.policy));
    if (!isOld) {
      for (const leaf of step.leaves) this.#spool.append(leaf);
      if (this.#spool.isFull) await persistence.until('spool', () => this.#spool.spill());
    }
    this.#carried.add(line);
    if (step.sealed === undefined) return false;
    await this.#sealed(step.sealed);
    this.#carried.clear();
    this.#range = { start: step.sealed.start, end: step.sealed.end };
    return true;
  }

  /** Throws CLY_LOG_DAMAGED where the journal, read to its end, does not reach what was signed. */
  requireWhole(end: number): void {
    if (this.#fold.size < end) throw this.#damaged(`ends at leaf ${this.#fold.size}, before the checkpoint at ${end}`);
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
    this.#goOnAfter(bundle);
    await this.#options.onBundle(bundle);
  }

  #goOnAfter(bundle: WrittenBundle): void {
    this.#previousManifest = bundle.manifestDigest;
    this.#bundleLog = bundle.nextPlace;
    this.#newest = bundle;
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
    const location = bundleLocation(sealed.tenant, sealed);
    const head = await this.#manifestOf(location);
    if (head?.closing_ledger !== digestOf(sealed.closingLedger)) {
      throw this.#damaged(`does not give the ledger of ${location}`);
    }
    return bundleOf(head, location);
  }

  async #manifestOf(location: string): Promise<StoredManifest | undefined> {
    const { blobs, persistence } = this.#options;
    const bytes = await persistence.until(location, () => blobs.get(`${location}/manifest.json`));
    return bytes === undefined ? undefined : { ...readManifestHead(bytes), digest: digestOf(bytes) };
  }

  #foreign(location: string): ClyraError {
    return foreignPosition(`${location} is not the bundle it goes on after`, { tenant: this.#fold.tenant });
  }

  #damaged(what: string): ClyraError {
    return new ClyraError(
      'CLY_LOG_DAMAGED',
      `the journal of tenant ${this.#fold.tenant} ${what}: nothing is signed; restore the topic, or open a new origin that names the old`,
      { retry: 'never', context: { tenant: this.#fold.tenant, leaves: this.#fold.size } },
    );
  }
}

type StoredManifest = ManifestHead & { readonly digest: Digest };

function bundleOf(head: StoredManifest, location: string): WrittenBundle {
  const { tenant, origin, range, root, bundle_log: place, digest: manifestDigest } = head;
  const { next } = afterBundle(place, { manifest: manifestDigest, origin, range, root });
  return { tenant, origin, ...range, manifestDigest, location, nextPlace: next };
}
