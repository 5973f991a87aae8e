// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import type { JsonValue } from '../canonical/json-value.ts';
import type { Claimed } from '../change/change-body.ts';
import type { TenantFences } from '../policy/policy.ts';
import { claimsOf } from './claims.ts';
import type { HmacKey } from './request-signature.ts';

type Headers = ((name: string) => readonly string[]) | undefined;

/** What of a request names somebody. */
type ClaimingRequest = {
  readonly credential: { readonly tenant: string; readonly actors: readonly string[] };
  readonly tenant: string;
  readonly actor: string;
  readonly claimed?: { readonly tenant: string | null; readonly actor: string | null };
  readonly headers?: Headers;
  readonly fingerprintKey: HmacKey;
  readonly policy: { readonly policy: { readonly tenant_fences: TenantFences } };
};
type Claims = { readonly tenants: readonly Claimed[]; readonly actors: readonly Claimed[] };

const CLAIMS_MAX = 8;

/** The headers that the policy requires and the request lacks. */
export function missingHeaders(fences: TenantFences, headers: Headers): readonly string[] {
  return fences.required_headers.filter((name) => (headers?.(name) ?? []).every((value) => value.trim() === ''));
}

/** Every place that names a tenant or an actor: credential, headers, body, and the headers that the policy requires. */
export function requestClaims(input: ClaimingRequest, body: JsonValue | undefined, items?: Claims): Claims {
  const { credential, policy, claimed = input } = input;
  const fences = policy.policy.tenant_fences;
  const further = (word: string): Claimed[] =>
    fences.required_headers
      .filter((name) => name.includes(word))
      .flatMap((name) => input.headers?.(name) ?? [])
      .filter((value) => value.trim() !== '')
      .flatMap((value) => claimsOf({ credential: [], header: value.trim(), body: undefined, pointer: null }));
  const tenants = claimsOf({
    credential: [credential.tenant],
    header: claimed.tenant,
    body,
    pointer: fences.body_tenant,
  });
  const actors = claimsOf({ credential: credential.actors, header: claimed.actor, body, pointer: fences.body_actor });
  const all = {
    tenants: [...withItems(tenants, items?.tenants), ...further('tenant')].slice(0, CLAIMS_MAX),
    actors: [...withItems(actors, items?.actors), ...further('actor')].slice(0, CLAIMS_MAX),
  };
  return fences.privacy === 'plain' ? all : hashed(input, all);
}

/** One name speaks for the body and all its items: one that differs from the header's, if any does, since that is refused. */
function withItems(claims: readonly Claimed[], items: readonly Claimed[] = []): readonly Claimed[] {
  if (items.length === 0) return claims;
  const header = claims.find(({ from }) => from === 'header')?.value;
  const named = [...claims.filter(({ from }) => from === 'body'), ...items];
  const other = named.find(({ value }) => value !== header) ?? named[0];
  return [...claims.filter(({ from }) => from !== 'body'), ...(other === undefined ? [] : [other])];
}

/** Keyed, and the same for the same name, so that fences and switches compare as before; the own tenant is known anyway. */
function hashed({ credential, fingerprintKey }: ClaimingRequest, { tenants, actors }: Claims): Claims {
  const hide = (claim: Claimed): Claimed => ({
    from: claim.from,
    value: `hmac:${createHmac('sha256', fingerprintKey).update(`id\n${claim.value}`, 'utf8').digest('hex').slice(0, 32)}`,
  });
  return {
    tenants: tenants.map((claim) => (claim.value === credential.tenant ? claim : hide(claim))),
    actors: actors.map((claim) => (claim.value === '*' ? claim : hide(claim))),
  };
}
