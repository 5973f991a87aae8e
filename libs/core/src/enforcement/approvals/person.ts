// SPDX-License-Identifier: Apache-2.0
import type { Policy } from '../../policy/policy.ts';
import type { RequestContext } from '../primitive.ts';

/** The stable subject behind a name; a name that the policy does not know is its own. */
export function personOf(policy: Pick<Policy, 'people'>, name: string): string {
  const person = policy.people.find(({ subject, aliases }) => subject === name || aliases.includes(name));
  return person?.subject ?? name;
}

/** Everybody who asks for the request or carries it out. */
export function requesterNames({ actor, facts }: Pick<RequestContext, 'actor' | 'facts'>): string[] {
  return [...new Set([actor, facts.principal])];
}
