// SPDX-License-Identifier: Apache-2.0
import type { Claimed } from '../../change/change-body.ts';
import { block, type Primitive } from '../primitive.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** A credential that may speak for any actor of its tenant names this one. */
export const ANY_ACTOR = '*';

/** Tenant and actor in credential, header and body must agree; the credential is the one that was proved. */
export const fences: Primitive = {
  name: 'tenant_fences',
  evaluate({ change, facts, policy }) {
    const reasons: ReasonDraft[] = [];
    const foreign = (claim: Claimed): boolean => claim.value !== change.tenant;
    const proved = facts.tenants.find((claim) => claim.from === 'credential');
    if (proved === undefined || foreign(proved)) reasons.push(block('tenant_fences', 'CLY_FENCE_TENANT', 'credential'));
    if (policy.tenant_fences.cross_check) {
      for (const claim of facts.tenants) {
        if (claim.from !== 'credential' && foreign(claim)) {
          reasons.push(block('tenant_fences', 'CLY_FENCE_TENANT', claim.from));
        }
      }
      reasons.push(...actorReasons(facts.actors));
    }
    for (const name of facts.headers_missing ?? []) reasons.push(block('tenant_fences', 'CLY_FENCE_HEADER', name));
    return { reasons };
  },
};

function actorReasons(actors: readonly Claimed[]): ReasonDraft[] {
  const allowed = actors.filter((claim) => claim.from === 'credential').map((claim) => claim.value);
  const named = actors.filter((claim) => claim.from !== 'credential');
  const reasons: ReasonDraft[] = [];
  for (const claim of named) {
    if (!allowed.includes(ANY_ACTOR) && !allowed.includes(claim.value)) {
      reasons.push(block('tenant_fences', 'CLY_FENCE_ACTOR', claim.from));
    } else if (claim.value !== named[0]?.value) {
      reasons.push(block('tenant_fences', 'CLY_FENCE_ACTOR', `${claim.from} differs`));
    }
  }
  return reasons;
}

/** The actor the request acts as: the one named, else the credential's only one. */
export function actorOf(actors: readonly Claimed[]): string {
  const named = actors.find((claim) => claim.from !== 'credential') ?? actors[0];
  return named?.value ?? ANY_ACTOR;
}
