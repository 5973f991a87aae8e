// SPDX-License-Identifier: Apache-2.0
import { closed, integer, list, type Reader, text } from '../json/shape.ts';

const count = integer(0);
const SECURITY_ENTRIES_MAX = 256;

/** The names of the counters of each group, in the order of bundle.md §3.1. */
export const RELIABILITY = [
  'outcomes_done',
  'outcomes_failed',
  'outcomes_returned',
  'outcomes_other',
  'gaps',
  'outages',
  'outage_ms',
  'changes_refused',
] as const;
export const TRANSPARENCY = ['requests', 'requests_in_runs', 'refused', 'refused_unexplained', 'accesses'] as const;
export const ACCURACY = [
  'schema_valid',
  'schema_invalid',
  'schema_not_required',
  'schema_not_checked',
  'content_refused',
] as const;
export const OVERSIGHT = [
  'held',
  'superseding',
  'reviewed_only',
  'approvals_granted',
  'approvals_revoked',
  'emergencies_reviewed',
  'kill_switches_engaged',
  'kill_switches_lifted',
  'policies_activated',
  'engines_activated',
  'changes_resolved',
] as const;
export const COST = ['payload_bytes', 'payload_bytes_allowed', 'transactions', 'rows_written'] as const;

function counters<const N extends string>(names: readonly N[]): Reader<Readonly<Record<N, number>>> {
  const members = Object.fromEntries(names.map((name) => [name, count])) as Record<N, Reader<number>>;
  return closed(members) as Reader<Readonly<Record<N, number>>>;
}

const lag = counters(['count', 'max_ms', 'sum_ms']);
const reasons = list(closed({ code: text, effect: text, count }), SECURITY_ENTRIES_MAX);
const threats = list(closed({ threat_class: text, count }), SECURITY_ENTRIES_MAX);

export const readGovernance = closed({
  reliability: counters(RELIABILITY),
  transparency: counters(TRANSPARENCY),
  accuracy: counters(ACCURACY),
  oversight: counters(OVERSIGHT),
});
export const readPerformance = closed({
  span_ms: count,
  decided_per_second_max: count,
  intake_to_log: lag,
  commit_to_log: lag,
});
export const readCost = counters(COST);
export const readSecurity = closed({
  reasons: reasons,
  reasons_other: count,
  threats: threats,
  threats_other: count,
});
