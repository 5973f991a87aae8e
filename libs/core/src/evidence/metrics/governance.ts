// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine, ObservedLine } from '../journal-line.ts';
import { added, memberOf } from './count.ts';

/** Allowed commands by what a manifest calls them (docs/spec/bundle.md §3.1). */
const PEOPLE: ReadonlyMap<string, keyof Oversight> = new Map([
  ['approval.granted', 'approvals_granted'],
  ['approval.revoked', 'approvals_revoked'],
  ['emergency.reviewed', 'emergencies_reviewed'],
  ['kill_switch.engaged', 'kill_switches_engaged'],
  ['kill_switch.lifted', 'kill_switches_lifted'],
  ['policy.activated', 'policies_activated'],
  ['engine.activated', 'engines_activated'],
  ['change.resolved', 'changes_resolved'],
]);

type Oversight = ReturnType<typeof noOversight>;

function noOversight() {
  return {
    held: 0,
    superseding: 0,
    reviewed_only: 0,
    approvals_granted: 0,
    approvals_revoked: 0,
    emergencies_reviewed: 0,
    kill_switches_engaged: 0,
    kill_switches_lifted: 0,
    policies_activated: 0,
    engines_activated: 0,
    changes_resolved: 0,
  };
}

const OUTCOMES = new Map([
  ['done', 'outcomes_done'],
  ['failed', 'outcomes_failed'],
  ['returned', 'outcomes_returned'],
] as const);

const VERDICTS = ['valid', 'invalid', 'not_required', 'not_checked'] as const;

export type Governance = Pick<GovernanceMetrics, 'reliability' | 'transparency' | 'accuracy' | 'oversight'>;

/** Reliability, transparency, accuracy and oversight of one range. */
export class GovernanceMetrics {
  readonly reliability = {
    outcomes_done: 0,
    outcomes_failed: 0,
    outcomes_returned: 0,
    outcomes_other: 0,
    gaps: 0,
    outages: 0,
    outage_ms: 0,
    changes_refused: 0,
  };
  readonly transparency = { requests: 0, requests_in_runs: 0, refused: 0, refused_unexplained: 0, accesses: 0 };
  readonly accuracy = {
    schema_valid: 0,
    schema_invalid: 0,
    schema_not_required: 0,
    schema_not_checked: 0,
    content_refused: 0,
  };
  readonly oversight: Oversight = noOversight();

  decided({ change, receipt: { body } }: DecidedLine): void {
    if (body.kind === 'recorded') {
      if (body.change_kind === 'change.outcome') this.#outcome(body.effect);
      return;
    }
    if (body.decision !== 'allow') {
      this.transparency.refused += 1;
      if (!Array.isArray(body.reasons) || body.reasons.length === 0) this.transparency.refused_unexplained += 1;
    }
    const act = body.decision === 'allow' ? PEOPLE.get(body.change_kind) : undefined;
    if (act !== undefined) this.oversight[act] += 1;
    if (body.change_kind !== 'change.requested') return;
    this.transparency.requests += 1;
    if (body.run_id !== undefined) this.transparency.requests_in_runs += 1;
    if (body.decision === 'hold') this.oversight.held += 1;
    if (body.supersedes !== undefined) this.oversight.superseding += 1;
    if (body.mode === 'review') this.oversight.reviewed_only += 1;
    this.#facts(change.body);
  }

  observed({ observation: { body } }: ObservedLine): void {
    const { reliability } = this;
    if (body.kind === 'gap') reliability.gaps += 1;
    if (body.kind === 'accessed') this.transparency.accesses += 1;
    if (body.kind !== 'outage') return;
    reliability.outages += 1;
    reliability.outage_ms = added(reliability.outage_ms, Math.max(0, body.restored_at - body.failed_at));
    reliability.changes_refused = added(reliability.changes_refused, body.changes_refused);
  }

  result(): Governance {
    const { reliability, transparency, accuracy, oversight } = this;
    return { reliability, transparency, accuracy, oversight };
  }

  #outcome(effect: string): void {
    this.reliability[OUTCOMES.get(effect as 'done') ?? 'outcomes_other'] += 1;
  }

  #facts(change: object): void {
    const verdict = VERDICTS.find((one) => one === memberOf(change, 'facts', 'schema', 'verdict'));
    if (verdict !== undefined) this.accuracy[`schema_${verdict}`] += 1;
    const content = memberOf(change, 'facts', 'content');
    if (typeof content === 'string' && content !== 'ok') this.accuracy.content_refused += 1;
  }
}
