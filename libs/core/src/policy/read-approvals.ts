// SPDX-License-Identifier: Apache-2.0

import type { PolicyCursor } from './policy-cursor.ts';
import type { ApprovalRule, BreakGlass, Person, QuorumStep } from './policy-rules.ts';
import { readAmount, readLimits } from './read-amount.ts';
import { type RuleScope, readRules } from './rule-scope.ts';

const MEMBERS = [
  'quorum',
  'grade_min',
  'mfa',
  'idp_domains',
  'max_age_seconds',
  'login_age_seconds',
  'amount',
  'steps',
  'only_above',
];
const QUORUM = { min: 1, max: 8, fallback: 1 };
/** An approval admits nothing later than this after it was given. */
const MAX_AGE_SECONDS = 900;
const DOMAIN_RULE = { pattern: /^(?=.{1,253}$)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*$/, what: 'a domain in lower case' };
const NAME_RULE = { pattern: /^[^\u0000-\u0020\u007f]{1,256}$/, what: 'a name without spaces' };

/** Which requests need whose approval; a request under several rules must satisfy all of them. */
export function readApprovals(policy: PolicyCursor, scope: RuleScope): ApprovalRule[] {
  const items = policy.items('approvals');
  return readRules(scope, {
    name: 'approvals',
    items,
    members: MEMBERS,
    read: (rule, named) => {
      const amount = readAmount(rule);
      const steps = rule.items('steps').map(readStep);
      const onlyAbove = readLimits(rule, 'only_above');
      if (amount === null && (steps.length > 0 || Object.keys(onlyAbove).length > 0)) {
        rule.report('amount is missing: write where the amount stands');
      }
      return {
        ...named,
        quorum: rule.integer('quorum', QUORUM),
        grade_min: rule.integer('grade_min', { min: 0, max: 3, fallback: 1 }),
        mfa: rule.flag('mfa', false),
        idp_domains: rule.textsOrNone('idp_domains', DOMAIN_RULE),
        max_age_seconds: rule.integer('max_age_seconds', { min: 1, max: MAX_AGE_SECONDS, fallback: MAX_AGE_SECONDS }),
        login_age_seconds: rule.integer('login_age_seconds', { min: 1, max: 86_400, fallback: MAX_AGE_SECONDS }),
        amount,
        steps,
        only_above: onlyAbove,
      };
    },
  });
}

function readStep(step: PolicyCursor): QuorumStep {
  step.objectOf(['above', 'quorum']);
  const above = readLimits(step, 'above');
  if (Object.keys(above).length === 0) step.report('above is missing: write from which amount on');
  return { above, quorum: step.integer('quorum', QUORUM) };
}

/** The same person may have several names: as an actor, as a credential, at an identity provider. */
export function readPeople(policy: PolicyCursor): Person[] {
  const owners = new Map<string, string>();
  return policy.items('people').map((person) => {
    person.objectOf(['subject', 'aliases']);
    const subject = person.text('subject', NAME_RULE);
    const aliases = person.textsOrNone('aliases', NAME_RULE);
    for (const name of [subject, ...aliases]) {
      if (owners.has(name)) person.report(`${name} is a name of ${owners.get(name) ?? ''} already`);
      owners.set(name, subject);
    }
    return { subject, aliases };
  });
}

export function readBreakGlass(policy: PolicyCursor): BreakGlass {
  const section = policy.member('break_glass');
  if (!section.isAbsent()) section.objectOf(['allowed', 'review_hours']);
  return {
    allowed: section.flag('allowed', false),
    review_hours: section.integer('review_hours', { min: 1, max: 720, fallback: 24 }),
  };
}
