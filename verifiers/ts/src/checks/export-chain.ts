// SPDX-License-Identifier: Apache-2.0
import type { ExportManifest } from '../documents/export-manifest.ts';
import type { DecidedLine, JournalLine, ReplacedLine } from '../journal/line.ts';
import type { Report } from './report.ts';

interface Head {
  readonly seq: number;
  readonly link: string;
}

/** Follows the order of lines that stand side by side, and the whole chain of the run that was exported. */
export class ExportChain {
  readonly #report: Report;
  readonly #runId: string | null;
  #before: DecidedLine | null = null;
  #run: Head;
  #runLines = 0;
  #isClosed = false;
  #last: { readonly line: number; readonly isReplaced: boolean } = { line: 0, isReplaced: true };

  constructor({ export: { scope } }: ExportManifest, report: Report) {
    this.#report = report;
    this.#runId = scope.kind === 'run' ? scope.run_id : null;
    this.#run = scope.kind === 'run' ? { seq: scope.next_seq, link: scope.head } : { seq: 0, link: '' };
  }

  step(line: JournalLine | ReplacedLine): void {
    this.#last = { line: line.line, isReplaced: line.kind === 'replaced' };
    if (line.kind === 'replaced') {
      this.#before = null;
      return;
    }
    if (line.kind !== 'decided') {
      return;
    }
    if (this.#before !== null) {
      this.#neighbours(this.#before, line);
    }
    this.#before = line;
    if (this.#runId !== null && line.receipt.read.run_id === this.#runId) {
      this.#runLine(line);
    }
  }

  finish(): void {
    if (this.#last.isReplaced) {
      this.#fail(this.#last.line, ['completeness', 'CLY_EXPORT_RUN'], 'is replaced, though it is the cut');
    } else if (this.#runId !== null && this.#runLines === 0) {
      this.#fail(this.#last.line, ['completeness', 'CLY_EXPORT_RUN'], `no line of run ${this.#runId} stands`);
    }
  }

  /** Observations and derived lines may stand between two decided ones; a replaced line may hide a third. */
  #neighbours(before: DecidedLine, line: DecidedLine): void {
    const { read } = line.receipt;
    const last = before.receipt.read;
    if (read.offset <= last.offset) {
      this.#fail(line.line, ['order', 'CLY_ORDER_OFFSET'], 'has an offset that does not rise');
    }
    if (read.previous_offset >= read.offset || read.previous_offset < last.offset) {
      this.#fail(line.line, ['order', 'CLY_ORDER_PREVIOUS_OFFSET'], 'has a previous offset out of place');
    }
    if (read.decided_at < last.decided_at) {
      this.#fail(line.line, ['order', 'CLY_ORDER_TIME'], 'was decided before the line before');
    }
    if (read.tenant_prev !== before.link) {
      this.#fail(line.line, ['order', 'CLY_CHAIN_LINK'], 'does not link to the line before');
    }
    if (read.tenant_seq !== last.tenant_seq + 1) {
      this.#fail(line.line, ['completeness', 'CLY_CHAIN_GAP'], 'is not the next one');
    }
  }

  #runLine(line: DecidedLine): void {
    const { seq = 0, prev, change_kind: kind } = line.receipt.read;
    this.#runLines += 1;
    if (this.#isClosed) {
      this.#fail(line.line, ['completeness', 'CLY_RUN_AFTER_CLOSE'], 'follows the end of the run');
    }
    if (prev !== this.#run.link) {
      this.#fail(line.line, ['order', 'CLY_RUN_LINK'], 'does not link to the line of the run before');
    }
    if (seq !== this.#run.seq) {
      this.#fail(line.line, ['completeness', 'CLY_RUN_GAP'], `is ${seq} of the run, the next one is ${this.#run.seq}`);
    }
    this.#run = { seq: seq + 1, link: line.link };
    if (kind === 'run.closed' && line.decision?.decision === 'allow') {
      this.#isClosed = true;
      if (line.receipt.value.count !== seq) {
        this.#fail(line.line, ['completeness', 'CLY_RUN_COUNT'], `must count ${seq}`);
      }
    }
  }

  #fail(line: number, what: readonly ['order' | 'completeness', string], message: string): void {
    this.#report({ claim: what[0], code: what[1], at: { line }, message });
  }
}
