// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { Judged } from '../reconciliation/reconcile-cut.ts';
import { type MatchCounts, noMatches } from '../reconciliation/totals.ts';
import { closesRun } from './chain-tracker.ts';
import type { DecidedLine, ObservedLine } from './journal-line.ts';
import { GovernanceMetrics } from './metrics/governance.ts';
import { OperationMetrics } from './metrics/operation.ts';
import { SecurityMetrics } from './metrics/security.ts';
import { RangeDocuments } from './range-documents.ts';
import type { Decisions, Gap, Outage } from './sealed-range.ts';
import { SignerSet } from './signer-set.ts';

/** Gaps and outages that a manifest lists one by one; the metrics count all. */
const LISTED_MAX = 1_024;

/** What the manifest says about the lines of one range, counted while they go by. */
export class RangeSummary {
  readonly decisions: Decisions = { allow: 0, block: 0, hold: 0, recorded: 0 };
  readonly closedRuns: { run_id: string; count: number }[] = [];
  /** In force in the range, in order; a policy that comes back stands again. */
  readonly policies: Digest[];
  readonly gaps: Gap[] = [];
  readonly gapsBySource = new Map<string, number>();
  readonly outages: Outage[] = [];
  readonly matches: MatchCounts = noMatches();
  readonly documents = new RangeDocuments();
  readonly signers = new SignerSet();
  readonly governance = new GovernanceMetrics();
  readonly operation = new OperationMetrics();
  readonly security = new SecurityMetrics();
  unobserved = 0;
  requests = 0;

  constructor(policy: Digest | null) {
    this.policies = policy === null ? [] : [policy];
  }

  decided(line: DecidedLine): void {
    const { body } = line.receipt;
    for (const part of [this.documents, this.signers, this.governance, this.operation, this.security])
      part.decided(line);
    if (body.kind === 'decided') this.decisions[body.decision] += 1;
    else this.decisions.recorded += 1;
    if (body.kind === 'decided' && body.change_kind === 'change.requested') this.requests += 1;
    if (body.run_id !== undefined && closesRun(body)) {
      this.closedRuns.push({ run_id: body.run_id, count: body.seq ?? 0 });
    }
  }

  activated(policy: Digest): void {
    if (this.policies.at(-1) !== policy) this.policies.push(policy);
  }

  observed(line: ObservedLine): void {
    const { body } = line.observation;
    for (const part of [this.documents, this.signers, this.governance, this.operation]) part.observed(line);
    if (body.kind === 'transaction') this.matches.observations += 1;
    if (body.kind === 'gap') {
      const { source_id, from_lsn, to_lsn, reason } = body;
      this.gapsBySource.set(source_id, (this.gapsBySource.get(source_id) ?? 0) + 1);
      if (this.gaps.length < LISTED_MAX) this.gaps.push({ source_id, from_lsn, to_lsn, reason });
    }
    if (body.kind === 'outage' && this.outages.length < LISTED_MAX) {
      const { source_id, component, failed_at, detected_at, restored_at, cause, changes_refused } = body;
      this.outages.push({ source_id, component, failed_at, detected_at, restored_at, cause, changes_refused });
    }
  }

  judged({ verdict }: Judged): void {
    this.matches.guarded += 1;
    this.matches[verdict.status] += 1;
  }
}
