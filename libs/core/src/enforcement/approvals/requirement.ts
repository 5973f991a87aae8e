// SPDX-License-Identifier: Apache-2.0
import type { Facts } from '../../change/change-body.ts';
import { appliesTo, type Policy } from '../../policy/policy.ts';
import type { ApprovalRule } from '../../policy/policy-rules.ts';
import { countedAmount, limitFor } from '../counted-amount.ts';
import type { Grant } from './pending-approval.ts';

/** What the approvals of one request must satisfy under one rule. */
export type Requirement = Pick<
  ApprovalRule,
  'grade_min' | 'mfa' | 'idp_domains' | 'max_age_seconds' | 'login_age_seconds'
> & {
  readonly rule: string;
  readonly quorum: number;
};

/** For what another primitive holds on a route without an approval rule: somebody who signed in. */
const ANYBODY: Requirement = {
  rule: 'approvals',
  quorum: 1,
  grade_min: 1,
  mfa: false,
  idp_domains: [],
  max_age_seconds: 900,
  login_age_seconds: 900,
};

/** The rules that ask for an approval of this request. */
export function requirementsOf(policy: Policy, routeId: string, facts: Facts): Requirement[] {
  const requirements: Requirement[] = [];
  for (const rule of policy.approvals) {
    if (!appliesTo(rule, routeId) || isSmall(rule, facts)) continue;
    const { grade_min, mfa, idp_domains, max_age_seconds, login_age_seconds } = rule;
    const quorum = quorumOf(rule, facts);
    const name = `approvals/${rule.id}`;
    requirements.push({ rule: name, quorum, grade_min, mfa, idp_domains, max_age_seconds, login_age_seconds });
  }
  return requirements;
}

export function orAnybody(requirements: readonly Requirement[]): readonly Requirement[] {
  return requirements.length === 0 ? [ANYBODY] : requirements;
}

/** An amount that cannot be read is never small. */
function isSmall(rule: ApprovalRule, facts: Facts): boolean {
  if (Object.keys(rule.only_above).length === 0) return false;
  const amount = countedAmount(facts, `approvals/${rule.id}`);
  if (typeof amount === 'string') return false;
  const limit = limitFor(rule.only_above, amount.currency);
  return limit !== undefined && amount.units <= limit;
}

function quorumOf(rule: ApprovalRule, facts: Facts): number {
  const amount = countedAmount(facts, `approvals/${rule.id}`);
  const reached = rule.steps.filter(({ above }) => {
    const limit = typeof amount === 'string' ? undefined : limitFor(above, amount.currency);
    return typeof amount === 'string' || limit === undefined || amount.units > limit;
  });
  return Math.max(rule.quorum, ...reached.map(({ quorum }) => quorum));
}

/** Of which the requirement counts this approval at that time. */
export function counts(grant: Grant, requirement: Requirement, nowMs: number): boolean {
  if (grant.expires_at <= nowMs || grant.granted_at + requirement.max_age_seconds * 1_000 <= nowMs) return false;
  if (grant.grade < requirement.grade_min || (requirement.mfa && !grant.mfa)) return false;
  return requirement.idp_domains.length === 0 || requirement.idp_domains.includes(grant.idp_domain);
}
