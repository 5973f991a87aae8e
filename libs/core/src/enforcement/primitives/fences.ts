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
    const proved = facts.tenants.find(isProved);
    if (proved?.value !== change.tenant) reasons.push(block('tenant_fences', 'CLY_FENCE_TENANT', 'credential'));
    if (policy.tenant_fences.cross_check) {
      for (const claim of facts.tenants) {
        if (!isProved(claim) && claim.value !== change.tenant) {
          reasons.push(block('tenant_fences', 'CLY_FENCE_TENANT', claim.from));
        }
      }
      addActorReasons(reasons, facts.actors);
    }
    for (const name of facts.headers_missing ?? []) reasons.push(block('tenant_fences', 'CLY_FENCE_HEADER', name));
    return { reasons };
  },
};

function isProved(claim: Claimed): boolean {
  return claim.from === 'credential';
}

function isNamed(claim: Claimed): boolean {
  return claim.from !== 'credential';
}

function addActorReasons(reasons: ReasonDraft[], actors: readonly Claimed[]): void {
  const first = actors.find(isNamed);
  for (const claim of actors) {
    if (isProved(claim)) continue;
    if (!mayActAs(actors, claim.value)) {
      reasons.push(block('tenant_fences', 'CLY_FENCE_ACTOR', claim.from));
    } else if (claim.value !== first?.value) {
      reasons.push(block('tenant_fences', 'CLY_FENCE_ACTOR', `${claim.from} differs`));
    }
  }
}

function mayActAs(actors: readonly Claimed[], actor: string): boolean {
  for (const claim of actors) {
    if (isProved(claim) && (claim.value === ANY_ACTOR || claim.value === actor)) return true;
  }
  return false;
}

/** The actor the request acts as: the one named, else the credential's only one. */
export function actorOf(actors: readonly Claimed[]): string {
  const named = actors.find(isNamed) ?? actors[0];
  return named?.value ?? ANY_ACTOR;
}
