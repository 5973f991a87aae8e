// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import { type DecidedLine, isLoose, type ObservedLine } from '../journal/line.ts';
import type { Ledger, RunHead } from '../ledger/ledger.ts';
import type { ClaimId } from '../report/claim.ts';

/** What the signatures of a receipt said: it tells which side of a broken link is the damaged one. */
export type SignatureVerdict = 'good' | 'bad' | 'unchecked';
export type Report = (failure: {
  readonly claim: ClaimId;
  readonly code: string;
  readonly at: { readonly line: number; readonly member?: string };
  readonly message: string;
}) => void;

/** No manifest of 1 MiB can list more: what comes on top is not kept, and the manifest differs as it must. */
const CLOSED_RUNS_MAX = 65_536;

interface LastBody {
  readonly line: number;
  readonly isLoose: boolean;
  readonly signature: SignatureVerdict;
}

/** Follows the chains of a tenant and its runs, and moves the ledger's heads. */
export class ChainCheck {
  readonly #ledger: Ledger;
  readonly #tenant: string;
  readonly #report: Report;
  readonly #closedRuns: Map<string, number> = new Map();
  readonly #lastOfRun: Map<string, LastBody> = new Map();
  #last: LastBody | null = null;
  #lastObservedMs = 0;

  constructor(ledger: Ledger, tenant: string, report: Report) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#report = report;
  }

  /** Runs closed in the range with their counts, in order of closing. */
  get closedRuns(): ReadonlyMap<string, number> {
    return this.#closedRuns;
  }

  decided(line: DecidedLine, signature: SignatureVerdict): void {
    const link = sha256Hex(`clyra/prev/v0\n${line.receipt.text}`);
    this.#checkPosition(line);
    this.#checkTenantChain(line, signature);
    if (line.receipt.read.run_id !== undefined) {
      this.#checkRun(line, line.receipt.read.run_id, { link, signature });
    }
    this.#ledger.nextSeq = line.receipt.read.tenant_seq + 1;
    this.#ledger.head = link;
    this.#ledger.lastOffset = line.receipt.read.offset;
    this.#ledger.lastAppendTimeMs = line.appendTimeMs;
    this.#last = { line: line.line, signature, isLoose: isLoose(line) };
  }

  /** Watermarks are moved to their cut, so that only the other observations stand in append order. */
  observed(line: ObservedLine): void {
    if (line.observation.read.kind === 'watermark') {
      return;
    }
    if (line.appendTimeMs < this.#lastObservedMs) {
      this.#report({
        claim: 'order',
        code: 'CLY_ORDER_TIME',
        at: { line: line.line, member: 'append_time' },
        message: 'falls below the one before',
      });
    }
    this.#lastObservedMs = line.appendTimeMs;
  }

  #checkPosition(line: DecidedLine): void {
    const { offset, previous_offset: previous } = line.receipt.read;
    const at = (member: string) => ({ line: line.line, member });
    if (offset <= this.#ledger.lastOffset) {
      this.#report({
        claim: 'order',
        code: 'CLY_ORDER_OFFSET',
        at: at('receipt.body.offset'),
        message: 'does not rise',
      });
    }
    if (previous >= offset || previous < this.#ledger.lastOffset) {
      const message = 'does not stand between the offset before and its own';
      this.#report({
        claim: 'order',
        code: 'CLY_ORDER_PREVIOUS_OFFSET',
        at: at('receipt.body.previous_offset'),
        message,
      });
    }
    if (line.appendTimeMs < this.#ledger.lastAppendTimeMs) {
      // No signature covers an append time: of two that disagree, the one that is also the decision time is right.
      const isEarlier = this.#last?.isLoose === true && !isLoose(line);
      const place = isEarlier ? { line: this.#last?.line ?? line.line, member: 'append_time' } : at('append_time');
      const message = `makes the append times of lines ${this.#last?.line ?? 0} and ${line.line} fall`;
      this.#report({ claim: 'order', code: 'CLY_ORDER_TIME', at: place, message });
    }
  }

  #checkTenantChain(line: DecidedLine, signature: SignatureVerdict): void {
    const { tenant_seq: seq, tenant_prev: prev } = line.receipt.read;
    if (seq !== this.#ledger.nextSeq) {
      const message = `is ${seq}, the next one is ${this.#ledger.nextSeq}`;
      this.#report({
        claim: 'completeness',
        code: 'CLY_CHAIN_GAP',
        at: { line: line.line, member: 'receipt.body.tenant_seq' },
        message,
      });
    }
    if (prev !== this.#ledger.head) {
      const at = { line, member: 'receipt.body.tenant_prev', signature };
      this.#reportLink('CLY_CHAIN_LINK', at, this.#last);
    }
  }

  #checkRun(line: DecidedLine, runId: string, body: { link: string; signature: SignatureVerdict }): void {
    const { link, signature } = body;
    const { seq = 0, prev, count, change_kind: kind } = line.receipt.read;
    const at = (member: string) => ({ line: line.line, member: `receipt.body.${member}` });
    if (this.#closedRuns.has(runId)) {
      this.#report({
        claim: 'completeness',
        code: 'CLY_RUN_AFTER_CLOSE',
        at: at('run_id'),
        message: `run ${runId} was closed before`,
      });
    }
    const head: RunHead = this.#ledger.runs.get(runId) ?? {
      nextSeq: 0,
      head: sha256Hex(`clyra/run/v0\n${this.#tenant}\n${runId}`),
    };
    if (seq !== head.nextSeq) {
      this.#report({
        claim: 'completeness',
        code: 'CLY_RUN_GAP',
        at: at('seq'),
        message: `is ${seq}, the next one is ${head.nextSeq}`,
      });
    }
    if (prev !== head.head) {
      const before = this.#lastOfRun.get(runId) ?? null;
      this.#reportLink('CLY_RUN_LINK', { line, member: 'receipt.body.prev', signature }, before);
    }
    if (kind === 'run.closed' && line.decision?.decision === 'allow') {
      if (count !== head.nextSeq) {
        this.#report({
          claim: 'completeness',
          code: 'CLY_RUN_COUNT',
          at: at('count'),
          message: `must be ${head.nextSeq}`,
        });
      }
      if (this.#closedRuns.size < CLOSED_RUNS_MAX) {
        this.#closedRuns.set(runId, count ?? 0);
      }
      this.#ledger.runs.delete(runId);
      this.#lastOfRun.delete(runId);
    } else {
      this.#ledger.runs.set(runId, { nextSeq: seq + 1, head: link });
      this.#lastOfRun.set(runId, { line: line.line, signature, isLoose: isLoose(line) });
    }
  }

  /** A link joins two lines: the one whose signature is broken is named, else the earlier if the later one is sound. */
  #reportLink(
    code: string,
    at: { readonly line: DecidedLine; readonly member: string; readonly signature: SignatureVerdict },
    before: LastBody | null,
  ): void {
    const isEarlier = before !== null && (before.signature === 'bad' || at.signature === 'good');
    const message =
      before === null
        ? 'does not follow from what stands before the range'
        : `does not link the body of line ${at.line.line} to that of line ${before.line}`;
    const place = isEarlier ? { line: before.line, member: 'receipt.body' } : { line: at.line.line, member: at.member };
    this.#report({ claim: 'order', code, at: place, message });
  }
}
