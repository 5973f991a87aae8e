// SPDX-License-Identifier: Apache-2.0
import { ACCURACY, COST, OVERSIGHT, RELIABILITY, TRANSPARENCY } from '../documents/metrics-shape.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { Pairs } from './pairs.ts';

/** Oversight counters of commands that were allowed, by kind. */
const OVERSEEN: ReadonlyMap<string, (typeof OVERSIGHT)[number]> = new Map<string, (typeof OVERSIGHT)[number]>([
  ['approval.granted', 'approvals_granted'],
  ['approval.revoked', 'approvals_revoked'],
  ['emergency.reviewed', 'emergencies_reviewed'],
  ['kill_switch.engaged', 'kill_switches_engaged'],
  ['kill_switch.lifted', 'kill_switches_lifted'],
  ['policy.activated', 'policies_activated'],
  ['engine.activated', 'engines_activated'],
  ['change.resolved', 'changes_resolved'],
]);
const OUTCOMES: ReadonlyMap<JsonValue | undefined, (typeof RELIABILITY)[number]> = new Map<
  JsonValue | undefined,
  (typeof RELIABILITY)[number]
>([
  ['done', 'outcomes_done'],
  ['failed', 'outcomes_failed'],
  ['returned', 'outcomes_returned'],
]);
const SCHEMA_VERDICTS: ReadonlyMap<JsonValue | undefined, (typeof ACCURACY)[number]> = new Map<
  JsonValue | undefined,
  (typeof ACCURACY)[number]
>([
  ['valid', 'schema_valid'],
  ['invalid', 'schema_invalid'],
  ['not_required', 'schema_not_required'],
  ['not_checked', 'schema_not_checked'],
]);

/** Counts what a manifest must say of the range in figures (bundle.md §3.1). */
export class Metrics {
  readonly #reliability = zeros(RELIABILITY);
  readonly #transparency = zeros(TRANSPARENCY);
  readonly #accuracy = zeros(ACCURACY);
  readonly #oversight = zeros(OVERSIGHT);
  readonly #cost = zeros(COST);
  readonly #intakeToLog = zeros(['count', 'max_ms', 'sum_ms']);
  readonly #commitToLog = zeros(['count', 'max_ms', 'sum_ms']);
  readonly #reasons = new Pairs();
  readonly #threats = new Pairs();
  #firstDecidedAtMs: number | null = null;
  #lastDecidedAtMs = 0;
  #second = -1;
  #inSecond = 0;
  #perSecondMax = 0;

  /** Whether the range decided a request. */
  get hasRequests(): boolean {
    return (this.#transparency.requests ?? 0) > 0;
  }

  decided(line: DecidedLine): void {
    this.#pace(line);
    const intakeAt = line.change.value.intake_at;
    if (typeof intakeAt === 'number' && intakeAt >= 0) {
      addLag(this.#intakeToLog, line.appendTimeMs - intakeAt);
    }
    if (line.decision === null) {
      this.#recorded(line);
      return;
    }
    this.#reasonsOf(line.receipt.value.reasons);
    const { decision } = line.decision;
    const overseen = decision === 'allow' ? OVERSEEN.get(line.receipt.read.change_kind) : undefined;
    if (overseen !== undefined) {
      add(this.#oversight, overseen, 1);
    }
    if (decision !== 'allow') {
      const { reasons } = line.receipt.value;
      add(this.#transparency, 'refused', 1);
      add(this.#transparency, 'refused_unexplained', Array.isArray(reasons) && reasons.length > 0 ? 0 : 1);
    }
    if (line.receipt.read.change_kind === 'change.requested') {
      this.#request(line, decision);
    }
  }

  observed({ observed, appendTimeMs }: ObservedLine): void {
    switch (observed?.of) {
      case 'transaction': {
        const { relations, committed_at: committedAt } = observed.body;
        const cost = this.#cost;
        cost.transactions = sum(cost.transactions, 1);
        for (const { inserts, updates, deletes } of relations) {
          cost.rows_written = sum(sum(sum(cost.rows_written, inserts), updates), deletes);
        }
        addLag(this.#commitToLog, appendTimeMs - committedAt);
        break;
      }
      case 'gap':
        add(this.#reliability, 'gaps', 1);
        break;
      case 'outage':
        add(this.#reliability, 'outages', 1);
        add(this.#reliability, 'outage_ms', Math.max(0, observed.body.restored_at - observed.body.failed_at));
        add(this.#reliability, 'changes_refused', observed.body.changes_refused);
        break;
      case 'accessed':
        add(this.#transparency, 'accesses', 1);
        break;
      default:
        break;
    }
  }

  /** The members of a manifest. */
  result(): Readonly<Record<'governance' | 'performance' | 'cost' | 'security', JsonObject>> {
    const reasons = this.#reasons.result((code, effect, count) => ({ code, effect, count }));
    const threats = this.#threats.result((threat, _, count) => ({ threat_class: threat, count }));
    return {
      governance: {
        reliability: this.#reliability,
        transparency: this.#transparency,
        accuracy: this.#accuracy,
        oversight: this.#oversight,
      },
      performance: {
        span_ms: this.#lastDecidedAtMs - (this.#firstDecidedAtMs ?? 0),
        decided_per_second_max: this.#perSecondMax,
        intake_to_log: this.#intakeToLog,
        commit_to_log: this.#commitToLog,
      },
      cost: this.#cost,
      security: {
        reasons: reasons.listed,
        reasons_other: reasons.other,
        threats: threats.listed,
        threats_other: threats.other,
      },
    };
  }

  #pace({ receipt }: DecidedLine): void {
    const second = Math.floor(receipt.read.decided_at / 1_000);
    this.#inSecond = second === this.#second ? this.#inSecond + 1 : 1;
    this.#second = second;
    this.#perSecondMax = Math.max(this.#perSecondMax, this.#inSecond);
    this.#firstDecidedAtMs ??= receipt.read.decided_at;
    this.#lastDecidedAtMs = receipt.read.decided_at;
  }

  #recorded(line: DecidedLine): void {
    if (line.receipt.read.change_kind === 'change.outcome') {
      add(this.#reliability, OUTCOMES.get(line.receipt.value.effect) ?? 'outcomes_other', 1);
    }
  }

  #request(line: DecidedLine, decision: string): void {
    const { value, read } = line.receipt;
    const facts = isObject(line.change.value.facts) ? line.change.value.facts : {};
    const [transparency, oversight, accuracy, cost] = [this.#transparency, this.#oversight, this.#accuracy, this.#cost];
    transparency.requests = sum(transparency.requests, 1);
    transparency.requests_in_runs = sum(transparency.requests_in_runs, read.run_id === undefined ? 0 : 1);
    oversight.held = sum(oversight.held, decision === 'hold' ? 1 : 0);
    oversight.superseding = sum(oversight.superseding, value.supersedes === undefined ? 0 : 1);
    oversight.reviewed_only = sum(oversight.reviewed_only, value.mode === 'review' ? 1 : 0);
    const verdict = SCHEMA_VERDICTS.get(isObject(facts.schema) ? facts.schema.verdict : undefined);
    if (verdict !== undefined) {
      add(accuracy, verdict, 1);
    }
    const isRefused = typeof facts.content === 'string' && facts.content !== 'ok';
    accuracy.content_refused = sum(accuracy.content_refused, isRefused ? 1 : 0);
    const bytes = facts.payload_size;
    if (typeof bytes === 'number' && bytes >= 0) {
      cost.payload_bytes = sum(cost.payload_bytes, bytes);
      cost.payload_bytes_allowed = sum(cost.payload_bytes_allowed, decision === 'allow' ? bytes : 0);
    }
  }

  #reasonsOf(reasons: JsonValue | undefined): void {
    for (const reason of Array.isArray(reasons) ? reasons : []) {
      if (!isObject(reason)) {
        continue;
      }
      if (typeof reason.code === 'string' && typeof reason.effect === 'string') {
        this.#reasons.add(reason.code, reason.effect);
      }
      if (typeof reason.threat_class === 'string') {
        this.#threats.add(reason.threat_class, '');
      }
    }
  }
}

type Counters = Record<string, number>;

function zeros(names: readonly string[]): Counters {
  return Object.fromEntries(names.map((name) => [name, 0]));
}

/** A sum stops at the greatest integer that a record can hold. */
function sum(before: number | undefined, value: number): number {
  return Math.min(Number.MAX_SAFE_INTEGER, (before ?? 0) + value);
}

/** For what is counted seldom: a counter that is named where it is counted is found several times faster. */
function add(to: Counters, name: string, value: number): void {
  to[name] = sum(to[name], value);
}

function addLag(to: Counters, lagMs: number): void {
  const lag = Math.max(0, lagMs);
  to.count = sum(to.count, 1);
  to.sum_ms = sum(to.sum_ms, lag);
  to.max_ms = Math.max(to.max_ms ?? 0, lag);
}
