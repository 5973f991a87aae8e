// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { Judged } from '../reconciliation/reconcile-cut.ts';
import { type MatchCounts, noMatches } from '../reconciliation/totals.ts';
import { closesRun } from './chain-tracker.ts';
import type { DecidedLine, ObservedLine } from './journal-line.ts';
import type { Decisions, Gap } from './sealed-range.ts';

/** What the manifest says about the lines of one range, counted while they go by. */
export class RangeSummary {
  readonly decisions: Decisions = { allow: 0, block: 0, hold: 0, recorded: 0 };
  readonly closedRuns: { run_id: string; count: number }[] = [];
  /** In force in the range, in order; a policy that comes back stands again. */
  readonly policies: Digest[];
  readonly gaps: Gap[] = [];
  readonly matches: MatchCounts = noMatches();

  constructor(policy: Digest | null) {
    this.policies = policy === null ? [] : [policy];
  }

  decided({ receipt: { body } }: DecidedLine): void {
    if (body.kind === 'decided') this.decisions[body.decision] += 1;
    else this.decisions.recorded += 1;
    if (body.run_id !== undefined && closesRun(body)) {
      this.closedRuns.push({ run_id: body.run_id, count: body.seq ?? 0 });
    }
  }

  activated(policy: Digest): void {
    if (this.policies.at(-1) !== policy) this.policies.push(policy);
  }

  observed({ observation: { body } }: ObservedLine): void {
    if (body.kind === 'transaction') this.matches.observations += 1;
    if (body.kind !== 'gap') return;
    const { source_id, from_lsn, to_lsn, reason } = body;
    this.gaps.push({ source_id, from_lsn, to_lsn, reason });
  }

  judged({ verdict }: Judged): void {
    this.matches.guarded += 1;
    this.matches[verdict.status] += 1;
  }
}
