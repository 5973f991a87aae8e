// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { DecidedLine } from '../journal/line.ts';
import { type Ledger, OPEN_RUNS_MAX, type RunHead } from '../ledger/ledger.ts';
import type { Report } from './report.ts';

/** What the signatures of a receipt said: it tells which side of a broken link is the damaged one. */
export type SignatureVerdict = 'good' | 'bad' | 'unchecked';

/** No manifest of 1 MiB can list more: what comes on top is not kept, and the manifest differs as it must. */
const CLOSED_RUNS_MAX = 65_536;

interface LastBody {
  readonly line: number;
  readonly signature: SignatureVerdict;
}

/** Follows the chains of a tenant and its runs, and moves the ledger's heads (journal.md §3). */
export class ChainCheck {
  readonly #ledger: Ledger;
  readonly #tenant: string;
  readonly #report: Report;
  readonly #closedRuns: { readonly run_id: string; readonly count: number }[] = [];
  readonly #closedIds: Set<string> = new Set();
  readonly #lastOfRun: Map<string, LastBody> = new Map();
  #last: LastBody | null = null;

  constructor(ledger: Ledger, tenant: string, report: Report) {
    this.#ledger = ledger;
    this.#tenant = tenant;
    this.#report = report;
  }

  /** Runs closed in the range with their counts, in order of closing. */
  get closedRuns(): readonly { readonly run_id: string; readonly count: number }[] {
    return this.#closedRuns;
  }

  decided(line: DecidedLine, signature: SignatureVerdict): void {
    const { read } = line.receipt;
    this.#checkPosition(line);
    this.#checkTenantChain(line, signature);
    if (read.run_id !== undefined) {
      this.#checkRun(line, read.run_id, signature);
    }
    this.#ledger.nextSeq = read.tenant_seq + 1;
    this.#ledger.head = line.link;
    this.#ledger.lastOffset = read.offset;
    this.#ledger.lastDecidedAtMs = read.decided_at;
    if (read.change_kind === 'change.outcome') {
      this.#ledger.lastOutcomeAtMs = line.appendTimeMs;
    }
    this.#last = { line: line.line, signature };
  }

  #fail(line: number, what: readonly ['order' | 'completeness', string, string], message: string): void {
    const [claim, code, member] = what;
    this.#report({ claim, code, at: { line, member }, message });
  }

  #checkPosition(line: DecidedLine): void {
    const { offset, previous_offset: previous, decided_at: decidedAt } = line.receipt.read;
    if (offset <= this.#ledger.lastOffset) {
      this.#fail(line.line, ['order', 'CLY_ORDER_OFFSET', 'receipt.body.offset'], 'does not rise');
    }
    if (previous >= offset || previous < this.#ledger.lastOffset) {
      const message = 'does not stand between the offset before and its own';
      this.#fail(line.line, ['order', 'CLY_ORDER_PREVIOUS_OFFSET', 'receipt.body.previous_offset'], message);
    }
    if (decidedAt < this.#ledger.lastDecidedAtMs) {
      this.#fail(line.line, ['order', 'CLY_ORDER_TIME', 'receipt.body.decided_at'], 'falls below the one before');
    }
  }

  #checkTenantChain(line: DecidedLine, signature: SignatureVerdict): void {
    const { tenant_seq: seq, tenant_prev: prev } = line.receipt.read;
    if (prev !== this.#ledger.head) {
      const at = { line, member: 'receipt.body.tenant_prev', signature };
      this.#reportLink('CLY_CHAIN_LINK', at, this.#last);
    }
    if (seq !== this.#ledger.nextSeq) {
      const message = `is ${seq}, the next one is ${this.#ledger.nextSeq}`;
      this.#fail(line.line, ['completeness', 'CLY_CHAIN_GAP', 'receipt.body.tenant_seq'], message);
    }
  }

  #checkRun(line: DecidedLine, runId: string, signature: SignatureVerdict): void {
    const { seq = 0, prev, change_kind: kind } = line.receipt.read;
    if (this.#closedIds.has(runId)) {
      const message = `run ${runId} was closed before`;
      this.#fail(line.line, ['completeness', 'CLY_RUN_AFTER_CLOSE', 'receipt.body.run_id'], message);
    }
    const head: RunHead = this.#ledger.runs.get(runId) ?? {
      nextSeq: 0,
      head: sha256Hex(`clyra/run/v0\n${this.#tenant}\n${runId}`),
    };
    if (prev !== head.head) {
      const before = this.#lastOfRun.get(runId) ?? null;
      this.#reportLink('CLY_RUN_LINK', { line, member: 'receipt.body.prev', signature }, before);
    }
    if (seq !== head.nextSeq) {
      const message = `is ${seq}, the next one is ${head.nextSeq}`;
      this.#fail(line.line, ['completeness', 'CLY_RUN_GAP', 'receipt.body.seq'], message);
    }
    if (kind !== 'run.closed' || line.decision?.decision !== 'allow') {
      if (!this.#ledger.runs.has(runId) && this.#ledger.runs.size >= OPEN_RUNS_MAX) {
        const at = { line: line.line, member: 'receipt.body.run_id' };
        this.#report({ claim: 'integrity', code: 'CLY_LEDGER_LIMIT', at, message: 'opens one run too many' });
        return;
      }
      this.#ledger.runs.set(runId, { nextSeq: seq + 1, head: line.link });
      this.#lastOfRun.set(runId, { line: line.line, signature });
      return;
    }
    if (line.receipt.value.count !== seq) {
      this.#fail(line.line, ['completeness', 'CLY_RUN_COUNT', 'receipt.body.count'], `must be ${seq}`);
    }
    if (this.#closedRuns.length < CLOSED_RUNS_MAX) {
      this.#closedRuns.push({ run_id: runId, count: seq });
      this.#closedIds.add(runId);
    }
    this.#ledger.runs.delete(runId);
    this.#lastOfRun.delete(runId);
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
