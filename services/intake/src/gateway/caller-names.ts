// SPDX-License-Identifier: Apache-2.0
import { ID } from '@clyra/core/change/shape';
import { SIGNATURE_HEADERS } from '@clyra/core/inspection/request-signature';
import type { Caller } from './caller.ts';
import type { Credential } from './credentials.ts';

/** The headers that name tenant and actor as sent; the empty text for one that is not there. */
export type NamingHeaders = { readonly tenant: string; readonly actor: string };

export function areNames({ tenant, actor }: NamingHeaders): boolean {
  return [tenant, actor].every((name) => name === '' || ID.test(name));
}

/** Whose request it is, once its credential is proved: what its headers say, else what the credential says. */
export function namesOf(
  credential: Credential,
  { tenant, actor }: NamingHeaders,
): Pick<Caller, 'tenant' | 'actor' | 'claimed'> {
  if (tenant !== '' && actor !== '') return { tenant, actor };
  return {
    tenant: tenant === '' ? credential.tenant : tenant,
    actor: actor === '' ? (credential.actors[0] as string) : actor,
    claimed: { tenant: tenant === '' ? null : tenant, actor: actor === '' ? null : actor },
  };
}

/**
 * Tenant and actor are named in headers. A caller that is proved and names neither is nobody's to serve: where the
 * policy has a rule for the missing header, that rule blocks it with a receipt (CLY_FENCE_HEADER), else it is refused here.
 */
export function namingFault({ claimed }: Pick<Caller, 'claimed'>, ruled: readonly string[]): string | undefined {
  if (claimed === undefined) return undefined;
  const isRuled = (value: string | null, header: string): boolean => value !== null || ruled.includes(header);
  const isBlocked =
    isRuled(claimed.tenant, SIGNATURE_HEADERS.tenant) && isRuled(claimed.actor, SIGNATURE_HEADERS.actor);
  return isBlocked ? undefined : 'CLY_AUTH_MALFORMED';
}
