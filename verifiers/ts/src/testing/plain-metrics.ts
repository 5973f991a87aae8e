// SPDX-License-Identifier: Apache-2.0
// The metrics of bundle.md §3.1, each read off the finished lines by itself.
import { by } from './plain-ledger.ts';
import type { Loose } from './primitives.ts';

export function metricsOf(lines: readonly Loose[]): Loose {
  const decided = lines.filter((line) => line.kind === 'decided');
  const bodies = lines.filter((line) => line.kind === 'observed').map((line) => line.observation.body);
  const requests = decided.filter(
    (line) => line.receipt.body.kind === 'decided' && line.receipt.body.change_kind === 'change.requested',
  );
  return {
    governance: {
      reliability: reliabilityOf(decided, bodies),
      transparency: transparencyOf(decided, requests, bodies),
      accuracy: accuracyOf(requests),
      oversight: oversightOf(decided, requests),
    },
    performance: performanceOf(lines, decided),
    cost: costOf(requests, bodies),
    security: securityOf(decided),
  };
}

const count = (list: readonly Loose[], holds: (value: Loose) => boolean): number => list.filter(holds).length;
const sum = (list: readonly Loose[], of: (value: Loose) => number): number =>
  list.reduce((total, value) => total + of(value), 0);

function reliabilityOf(decided: readonly Loose[], bodies: readonly Loose[]): Loose {
  const effects = decided
    .map((line) => line.receipt.body)
    .filter((body) => body.kind === 'recorded' && body.change_kind === 'change.outcome')
    .map((body) => body.effect);
  const outages = bodies.filter((body) => body.kind === 'outage');
  const named = ['done', 'failed', 'returned'];
  return {
    outcomes_done: count(effects, (effect) => effect === 'done'),
    outcomes_failed: count(effects, (effect) => effect === 'failed'),
    outcomes_returned: count(effects, (effect) => effect === 'returned'),
    outcomes_other: count(effects, (effect) => !named.includes(effect)),
    gaps: count(bodies, (body) => body.kind === 'gap'),
    outages: outages.length,
    outage_ms: sum(outages, (body) => Math.max(0, body.restored_at - body.failed_at)),
    changes_refused: sum(outages, (body) => body.changes_refused),
  };
}

function transparencyOf(decided: readonly Loose[], requests: readonly Loose[], bodies: readonly Loose[]): Loose {
  const refused = decided.filter((line) => ['block', 'hold'].includes(line.receipt.body.decision));
  return {
    requests: requests.length,
    requests_in_runs: count(requests, (line) => line.receipt.body.run_id !== undefined),
    refused: refused.length,
    refused_unexplained: count(refused, (line) => !(line.receipt.body.reasons?.length > 0)),
    accesses: count(bodies, (body) => body.kind === 'accessed'),
  };
}

function accuracyOf(requests: readonly Loose[]): Loose {
  const verdict = (wanted: string) => count(requests, (line) => line.change.body.facts?.schema?.verdict === wanted);
  return {
    schema_valid: verdict('valid'),
    schema_invalid: verdict('invalid'),
    schema_not_required: verdict('not_required'),
    schema_not_checked: verdict('not_checked'),
    content_refused: count(requests, (line) => (line.change.body.facts?.content ?? 'ok') !== 'ok'),
  };
}

function oversightOf(decided: readonly Loose[], requests: readonly Loose[]): Loose {
  const allowed = (kind: string) =>
    count(decided, ({ receipt: { body } }) => body.decision === 'allow' && body.change_kind === kind);
  return {
    held: count(requests, (line) => line.receipt.body.decision === 'hold'),
    superseding: count(requests, (line) => line.receipt.body.supersedes !== undefined),
    reviewed_only: count(requests, (line) => line.receipt.body.mode === 'review'),
    approvals_granted: allowed('approval.granted'),
    approvals_revoked: allowed('approval.revoked'),
    emergencies_reviewed: allowed('emergency.reviewed'),
    kill_switches_engaged: allowed('kill_switch.engaged'),
    kill_switches_lifted: allowed('kill_switch.lifted'),
    policies_activated: allowed('policy.activated'),
    engines_activated: allowed('engine.activated'),
    changes_resolved: allowed('change.resolved'),
  };
}

function performanceOf(lines: readonly Loose[], decided: readonly Loose[]): Loose {
  const times: number[] = decided.map((line) => line.receipt.body.decided_at);
  const transactions = lines.filter((line) => line.observation?.body.kind === 'transaction');
  return {
    span_ms: (times.at(-1) ?? 0) - (times[0] ?? 0),
    decided_per_second_max: longestRun(times.map((time) => Math.floor(time / 1_000))),
    intake_to_log: lagOf(decided.map((line) => line.append_time - line.change.body.intake_at)),
    commit_to_log: lagOf(transactions.map((line) => line.append_time - line.observation.body.committed_at)),
  };
}

function longestRun(values: readonly number[]): number {
  let longest = 0;
  let length = 0;
  for (const [index, value] of values.entries()) {
    length = index > 0 && values[index - 1] === value ? length + 1 : 1;
    longest = Math.max(longest, length);
  }
  return longest;
}

function lagOf(lags: readonly number[]): Loose {
  const clamped = lags.map((lag) => Math.max(0, lag));
  return { count: lags.length, max_ms: Math.max(0, ...clamped), sum_ms: sum(clamped, (lag) => lag) };
}

function costOf(requests: readonly Loose[], bodies: readonly Loose[]): Loose {
  const bytes = (list: readonly Loose[]) => sum(list, (line) => line.change.body.facts?.payload_size ?? 0);
  const transactions = bodies.filter((body) => body.kind === 'transaction');
  const rows = (body: Loose) => sum(body.relations, (one) => one.inserts + one.updates + one.deletes);
  return {
    payload_bytes: bytes(requests),
    payload_bytes_allowed: bytes(requests.filter((line) => line.receipt.body.decision === 'allow')),
    transactions: transactions.length,
    rows_written: sum(transactions, rows),
  };
}

function securityOf(decided: readonly Loose[]): Loose {
  const entries: Loose[] = decided.flatMap((line) => line.receipt.body.reasons ?? []);
  const tally = (keys: readonly Loose[], members: readonly string[]) => {
    const texts = [...new Set(keys.map((key) => JSON.stringify(key)))];
    const counted = texts.map((text) => ({
      ...JSON.parse(text),
      count: count(keys, (key) => JSON.stringify(key) === text),
    }));
    return by(counted, ...members);
  };
  const reasons = entries
    .filter((entry) => entry.code !== undefined && entry.effect !== undefined)
    .map(({ code, effect }) => ({ code, effect }));
  const threats = entries
    .filter((entry) => entry.threat_class !== undefined)
    .map(({ threat_class }) => ({ threat_class }));
  return {
    reasons: tally(reasons, ['code', 'effect']),
    reasons_other: 0,
    threats: tally(threats, ['threat_class']),
    threats_other: 0,
  };
}
