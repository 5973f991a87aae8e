// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine, ObservedLine } from '../journal-line.ts';
import { added, countOf, Durations, memberOf } from './count.ts';

const SECOND_MS = 1_000;

export type Performance = {
  readonly span_ms: number;
  readonly decided_per_second_max: number;
  readonly intake_to_log: ReturnType<Durations['result']>;
  readonly commit_to_log: ReturnType<Durations['result']>;
};

export type Cost = Readonly<OperationMetrics['cost']>;

/** Performance and cost of one range (docs/spec/bundle.md §3.1): what its lines alone say. */
export class OperationMetrics {
  readonly cost = { payload_bytes: 0, payload_bytes_allowed: 0, transactions: 0, rows_written: 0 };
  readonly #intakeToLog = new Durations();
  readonly #commitToLog = new Durations();
  #firstMs: number | undefined;
  #lastMs = 0;
  #second = -1;
  #inSecond = 0;
  #perSecondMax = 0;

  decided({ change, receipt: { body }, appendTimeMs }: DecidedLine): void {
    this.#at(body.decided_at);
    const intakeAtMs = memberOf(change.body, 'intake_at');
    if (Number.isSafeInteger(intakeAtMs)) this.#intakeToLog.add(appendTimeMs - (intakeAtMs as number));
    if (body.kind !== 'decided' || body.change_kind !== 'change.requested') return;
    const bytes = countOf(memberOf(change.body, 'facts', 'payload_size'));
    this.cost.payload_bytes = added(this.cost.payload_bytes, bytes);
    if (body.decision === 'allow') this.cost.payload_bytes_allowed = added(this.cost.payload_bytes_allowed, bytes);
  }

  observed({ observation: { body }, appendTimeMs }: ObservedLine): void {
    if (body.kind !== 'transaction') return;
    this.#commitToLog.add(appendTimeMs - body.committed_at);
    this.cost.transactions += 1;
    for (const { inserts, updates, deletes } of body.relations) {
      this.cost.rows_written = [inserts, updates, deletes].reduce(added, this.cost.rows_written);
    }
  }

  performance(): Performance {
    return {
      span_ms: this.#lastMs - (this.#firstMs ?? this.#lastMs),
      decided_per_second_max: this.#perSecondMax,
      intake_to_log: this.#intakeToLog.result(),
      commit_to_log: this.#commitToLog.result(),
    };
  }

  #at(decidedMs: number): void {
    this.#firstMs ??= decidedMs;
    this.#lastMs = decidedMs;
    const second = Math.floor(decidedMs / SECOND_MS);
    this.#inSecond = second === this.#second ? this.#inSecond + 1 : 1;
    this.#second = second;
    this.#perSecondMax = Math.max(this.#perSecondMax, this.#inSecond);
  }
}
