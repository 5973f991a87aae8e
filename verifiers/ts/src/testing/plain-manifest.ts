// SPDX-License-Identifier: Apache-2.0
// What a manifest must say of its lines (bundle.md §3), read off the finished lines as the table reads.
import { by, type PlainLedger } from './plain-ledger.ts';
import type { Loose } from './primitives.ts';

const STATUSES = ['matched', 'exceeded', 'reused', 'unattributed', 'claimed_unproved'];

export function statedOf(lines: readonly Loose[], ledger: PlainLedger, openingPolicy: string | null): Loose {
  const decided = lines.filter((line) => line.kind === 'decided');
  const observed = lines.filter((line) => line.kind === 'observed').map((line) => line.observation.body);
  const ofKind = (kind: string) => observed.filter((body) => body.kind === kind);
  const last = lines.at(-1);
  const cut = last?.receipt?.body ?? {};
  const requests = decided.filter((line) => isRequest(line));
  const gaps = ofKind('gap').map(({ source_id, from_lsn, to_lsn, reason }) => ({
    source_id,
    from_lsn,
    to_lsn,
    reason,
  }));
  return {
    profiles: [...(ledger.source.length > 0 ? ['def/v0'] : []), ...(requests.length > 0 ? ['pef/v0'] : [])],
    cut: {
      kind: cut.change_kind,
      offset: cut.offset,
      partition: cut.partition,
      state_digest: cut.state_digest,
      receipt_id: cut.receipt_id,
    },
    policies: policiesOf(decided, openingPolicy),
    engine: cut.engine,
    trust_root: ledger.head.trust_root,
    runs: runsOf(decided, ledger),
    decisions: {
      allow: countOf(decided, (line) => line.receipt.body.decision === 'allow'),
      block: countOf(decided, (line) => line.receipt.body.decision === 'block'),
      hold: countOf(decided, (line) => line.receipt.body.decision === 'hold'),
      recorded: countOf(decided, (line) => line.receipt.body.kind === 'recorded'),
    },
    reconciliation: reconciliationOf(lines, ledger),
    coverage: coverageOf(ledger, gaps),
    gaps,
    outages: ofKind('outage').map(
      ({ source_id, component, failed_at, detected_at, restored_at, cause, changes_refused }) => ({
        source_id,
        component,
        failed_at,
        detected_at,
        restored_at,
        cause,
        changes_refused,
      }),
    ),
  };
}

function isRequest(line: Loose): boolean {
  return line.receipt.body.kind === 'decided' && line.receipt.body.change_kind === 'change.requested';
}

function countOf<T>(list: readonly T[], holds: (value: T) => boolean): number {
  return list.filter(holds).length;
}

function policiesOf(decided: readonly Loose[], opening: string | null): readonly string[] {
  const found: string[] = opening === null ? [] : [opening];
  for (const line of decided) {
    const { command, kind } = line.change.body;
    const isAllowed = line.receipt.body.decision === 'allow';
    const isActivation = kind === 'tenant.opened' || kind === 'policy.activated';
    if (isAllowed && isActivation && command?.policy !== undefined && command.policy !== found.at(-1)) {
      found.push(command.policy);
    }
  }
  return found;
}

function runsOf(decided: readonly Loose[], ledger: PlainLedger): Loose {
  const closed = decided
    .map((line) => line.receipt.body)
    .filter((body) => body.change_kind === 'run.closed' && body.decision === 'allow' && body.run_id !== undefined)
    .map((body) => ({ run_id: body.run_id, count: body.seq }));
  return { closed, open: by(ledger.run, 'run_id').map((run) => run.run_id) };
}

function reconciliationOf(lines: readonly Loose[], ledger: PlainLedger): Loose {
  const matched = lines.filter((line) => line.kind === 'matched');
  const known = [...new Set(ledger.guarded.map((one) => one.source_id))].filter((sourceId) =>
    ledger.source.some((one) => one.source_id === sourceId),
  );
  const covers = known.map((id) => ledger.source.find((one) => one.source_id === id).watermark?.covers_until ?? 0);
  const horizon = known.length === 0 ? null : Math.min(...covers);
  const outcome = ledger.head.last_outcome_at;
  const unobserved = unobservedOf(lines);
  const isFinal = unobserved === 0 && (outcome === null || horizon === null || horizon >= outcome);
  const counts = Object.fromEntries(
    STATUSES.map((status) => [status, countOf(matched, (line) => line.status === status)]),
  );
  return {
    sources: by(ledger.source, 'source_id')
      .filter((one) => one.watermark !== null)
      .map((one) => ({ source_id: one.source_id, ...one.watermark })),
    horizon,
    state: isFinal ? 'final' : 'provisional',
    observations: countOf(lines, (line) => line.observation?.body.kind === 'transaction'),
    guarded: matched.length,
    ...counts,
    unjudged: 0,
    grants_forgotten: 0,
    unobserved,
    pending: ledger.pending.length,
    grants_unused: countOf(ledger.grant, (grant) => grant.used_by === null),
  };
}

/** The builder marks grants that nobody watched, as it writes them. */
function unobservedOf(lines: readonly Loose[]): number {
  return lines.reduce((sum, line) => sum + (line.unobserved ?? 0), 0);
}

function coverageOf(ledger: PlainLedger, gaps: readonly Loose[]): readonly Loose[] {
  const sources = [...new Set<string>(ledger.guarded.map((one) => one.source_id))].sort();
  return sources.map((sourceId) => {
    const coverage = ledger.source.find((one) => one.source_id === sourceId)?.coverage ?? null;
    const guarded = by(ledger.guarded, 'relation').filter((one) => one.source_id === sourceId);
    const covered = ledger.covered.filter((one) => one.source_id === sourceId).map((one) => one.relation);
    const uncovered = guarded.map((one) => one.relation).filter((relation) => !covered.includes(relation));
    return {
      source_id: sourceId,
      observation_id: coverage?.observation_id ?? null,
      scope: coverage?.scope ?? null,
      lsn: coverage?.lsn ?? null,
      guarded: guarded.length,
      uncovered: coverage?.scope === 'all' ? [] : uncovered,
      blind_spots: by(ledger.blind_spot, 'code', 'relation')
        .filter((one) => one.source_id === sourceId)
        .map(({ code, relation }) => ({ code, relation })),
      gaps: countOf(gaps, (gap) => gap.source_id === sourceId),
    };
  });
}
