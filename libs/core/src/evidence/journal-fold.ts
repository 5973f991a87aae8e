// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { receiptIdOf } from '../change/links.ts';
import type { DecidedBody } from '../enforcement/receipt-body.ts';
import { assert } from '../kernel/assert.ts';
import { ClyraError } from '../kernel/error.ts';
import { CompactRange } from '../merkle/compact-range.ts';
import type { GuardedSource } from '../policy/policy.ts';
import { activationOf } from './activation.ts';
import type { ChainTracker } from './chain-tracker.ts';
import { coverageOf } from './coverage.ts';
import type { DecidedLine, ObservedLine, SourceLine } from './journal-line.ts';
import { ascending, encodeLedger, type Ledger } from './ledger.ts';
import { RangeDigest } from './range-digest.ts';
import { metricsOf, profilesOf, reconciliationOf, unobservedGrants } from './range-facts.ts';
import { RangeSummary } from './range-summary.ts';
import type { Reconciliation, SealedRange } from './sealed-range.ts';
import { TenantBook } from './tenant-book.ts';
import { matchedLine } from './write-line.ts';

/** Where a fold goes on: the end of a sealed range, as the next bundle names it. */
export type FoldOpening = {
  readonly streamId: string;
  readonly size: number;
  readonly frontier: readonly Digest[];
  readonly ledger: Ledger;
  readonly state: Digest;
};

/** The same at the start of the open range; null members where it is the first of the log. */
export type RangeOpening = {
  readonly start: number;
  readonly frontier: readonly Digest[];
  readonly state: Digest | null;
  readonly ledger: Uint8Array | null;
};

export type FoldStep = {
  /** Leaves that the line added, in order, without LF. A watermark adds none before the next cut. */
  readonly leaves: readonly Uint8Array[];
  readonly sealed: SealedRange | undefined;
};

const SEALING = new Set(['run.closed', 'window.closed']);

/**
 * The log of one tenant as a pure fold of its sequenced lines (docs/spec/journal.md): tree, ledger, derived lines at
 * cuts, and what each manifest says. It holds O(log n) hashes and the ledger, never the lines.
 * After an error it must not be used again: the log is then damaged or a document is missing.
 */
export class JournalFold {
  readonly tenant: string;
  readonly #tree: CompactRange;
  #book: TenantBook | undefined;
  #partition: number | undefined;
  readonly #watermarks = new Map<string, ObservedLine>();
  #opening: RangeOpening;
  #digest = new RangeDigest();
  #summary: RangeSummary;

  constructor(tenant: string, opening?: FoldOpening) {
    this.tenant = tenant;
    this.#tree = new CompactRange(opening?.size, opening?.frontier);
    if (opening !== undefined) {
      const { streamId, ledger } = opening;
      this.#book = new TenantBook({ tenant, streamId, trustRoot: ledger.head.trust_root }, ledger);
    }
    this.#summary = new RangeSummary(opening?.ledger.head.policy ?? null);
    this.#opening = {
      start: opening?.size ?? 0,
      frontier: this.#tree.roots,
      state: opening?.state ?? null,
      ledger: opening === undefined ? null : encodeLedger(opening.ledger),
    };
  }

  /** Leaves so far. */
  get size(): number {
    return this.#tree.size;
  }

  root(): Digest {
    return this.#tree.root();
  }

  /** Where the open range begins, and what the fold of it begins with. */
  get opening(): RangeOpening {
    return this.#opening;
  }

  get trustRoot(): Digest | undefined {
    return this.#book?.trustRoot;
  }

  /** The chains after the newest line; undefined before the first. */
  get chain(): ChainTracker | undefined {
    return this.#book?.chain;
  }

  /** Totals of the open range, for a status page. */
  get reconciliation(): Reconciliation | undefined {
    return this.#book === undefined ? undefined : reconciliationOf(this.#summary, this.#book);
  }

  /** `guarded` comes from the policy that the line activates, if it does (activationOf). */
  push(line: SourceLine, guarded?: readonly GuardedSource[]): FoldStep {
    if (line.kind === 'decided') return this.#decided(line, guarded);
    const { body } = line.observation;
    if (body.tenant !== this.tenant) throw this.#damaged('an observation of another tenant');
    if (body.kind === 'watermark') {
      this.#watermarks.set(body.source_id, line);
      return { leaves: [], sealed: undefined };
    }
    const book = this.#opened();
    if (book.sources.isRepetition(body)) return { leaves: [], sealed: undefined };
    return { leaves: [this.#append(book, line)], sealed: undefined };
  }

  #decided(line: DecidedLine, guarded: readonly GuardedSource[] | undefined): FoldStep {
    const { body } = line.receipt;
    this.#checkPair(line);
    const book = this.#bookFor(line);
    const leaves: Uint8Array[] = [];
    const cut = cutOf(line);
    if (cut !== undefined) this.#derive(book, line.appendTimeMs, leaves);
    book.chain.accept(body, line.receipt.bytes);
    this.#summary.unobserved += unobservedGrants(book, line);
    this.#summary.matches.grants_forgotten += book.decided(line).forgotten;
    this.#summary.decided(line);
    this.#activate(book, line, guarded);
    this.#tree.append(this.#digest.append(line.bytes));
    leaves.push(line.bytes);
    const seals = cut !== undefined && SEALING.has(cut.change_kind) && this.#holdsMore(cut);
    return { leaves, sealed: seals ? this.#seal(book, cut, line.appendTimeMs) : undefined };
  }

  /** A window that holds nothing but its own end is left to the next range. */
  #holdsMore(cut: DecidedBody): boolean {
    return cut.change_kind === 'run.closed' || this.#digest.lines > 1;
  }

  #checkPair({ change, receipt: { body } }: DecidedLine): void {
    const { tenant, kind, event_id: eventId } = change.body;
    if (tenant !== this.tenant || body.tenant !== this.tenant) throw this.#damaged('a line of another tenant');
    if (body.change_digest !== change.digest) throw this.#damaged('a receipt of another change');
    if (body.change_kind !== kind || body.event_id !== eventId)
      throw this.#damaged('a receipt that names another change');
    const { stream_id: streamId, partition, offset } = body;
    if (body.receipt_id !== receiptIdOf({ streamId, partition, offset }))
      throw this.#damaged('a receipt id of another place');
    this.#partition ??= partition;
    if (partition !== this.#partition) throw this.#damaged('a receipt of another partition');
  }

  #bookFor(line: DecidedLine): TenantBook {
    if (this.#book !== undefined) return this.#book;
    const { trustRoot } = activationOf(line);
    if (line.change.body.kind !== 'tenant.opened' || trustRoot === undefined) {
      throw this.#damaged('a log that does not begin with an allowed tenant.opened');
    }
    this.#book = new TenantBook({ tenant: this.tenant, streamId: line.receipt.body.stream_id, trustRoot });
    return this.#book;
  }

  #activate(book: TenantBook, line: DecidedLine, guarded: readonly GuardedSource[] | undefined): void {
    const { policy, trustRoot } = activationOf(line);
    if (trustRoot !== undefined) book.trust(trustRoot);
    if (policy === undefined) return;
    assert(guarded !== undefined, 'a line that activates a policy comes with what it guards');
    book.activate(policy, guarded);
    this.#summary.activated(policy);
  }

  #append(book: TenantBook, line: ObservedLine): Uint8Array {
    if (book.observed(line, this.#tree.size).unjudged) this.#summary.matches.unjudged += 1;
    this.#summary.observed(line);
    this.#tree.append(this.#digest.append(line.bytes));
    return line.bytes;
  }

  /** The lines directly before a cut: the newest watermark of each source, then the verdicts. */
  #derive(book: TenantBook, appendTimeMs: number, leaves: Uint8Array[]): void {
    for (const [, watermark] of ascending(this.#watermarks)) leaves.push(this.#append(book, watermark));
    this.#watermarks.clear();
    for (const judged of book.reconcile(appendTimeMs)) {
      const bytes = matchedLine(judged);
      this.#summary.judged(judged);
      this.#tree.append(this.#digest.append(bytes));
      leaves.push(bytes);
    }
  }

  #seal(book: TenantBook, cut: DecidedBody & { readonly state_digest: Digest }, appendTimeMs: number): SealedRange {
    const ledger = book.ledger();
    const closingLedger = encodeLedger(ledger);
    const { change_kind: kind, offset, partition, state_digest, receipt_id } = cut;
    const summary = this.#summary;
    const sealed: SealedRange = {
      tenant: this.tenant,
      streamId: book.chain.streamId,
      start: this.#opening.start,
      end: this.#tree.size,
      frontier: this.#opening.frontier,
      root: this.#tree.root(),
      cut: { kind, offset, partition, state_digest, receipt_id },
      appendTimeMs,
      openingState: this.#opening.state,
      openingLedger: this.#opening.ledger,
      closingLedger,
      journal: this.#digest.facts(),
      policies: [...summary.policies],
      engine: cut.engine,
      trustRoot: book.trustRoot,
      runs: { closed: summary.closedRuns, open: ascending(book.chain.runs).map(([runId]) => runId) },
      decisions: summary.decisions,
      reconciliation: reconciliationOf(summary, book),
      gaps: summary.gaps,
      outages: summary.outages,
      coverage: coverageOf(ledger, summary.gapsBySource),
      metrics: metricsOf(summary),
      profiles: profilesOf(summary, ledger),
      documents: {
        named: summary.documents.named,
        list: summary.documents.documents,
        heldOf: (held) => summary.documents.heldOf(held),
      },
      sharesKeys: summary.signers.isShared,
    };
    this.#opening = { start: sealed.end, frontier: this.#tree.roots, state: state_digest, ledger: closingLedger };
    this.#digest = new RangeDigest();
    this.#summary = new RangeSummary(book.policy);
    return sealed;
  }

  #opened(): TenantBook {
    if (this.#book === undefined) throw this.#damaged('an observation before the tenant was opened');
    return this.#book;
  }

  #damaged(what: string): ClyraError {
    return new ClyraError(
      'CLY_LOG_DAMAGED',
      `the journal of tenant ${this.tenant} has ${what}: stop and compare it with the last checkpoint`,
      {
        retry: 'never',
        context: { tenant: this.tenant, leaf: this.#tree.size },
      },
    );
  }
}

/** The body of a cut before which derived lines stand (docs/spec/journal.md §2). */
function cutOf({ receipt: { body } }: DecidedLine): (DecidedBody & { readonly state_digest: Digest }) | undefined {
  if (body.kind !== 'decided' || body.state_digest === undefined || body.change_kind === 'tenant.opened')
    return undefined;
  return body as DecidedBody & { readonly state_digest: Digest };
}
