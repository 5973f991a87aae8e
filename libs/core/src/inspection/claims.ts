// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import type { Claimed } from '../change/change-body.ts';
import { valueAt } from './json-pointer.ts';

export type ClaimSources = {
  /** What the credential proves; for actors it may be several, or `*`. */
  readonly credential: readonly string[];
  /** null where the request has no such header. */
  readonly header: string | null;
  readonly body: JsonValue | undefined;
  /** Where the body names it, or null. */
  readonly pointer: string | null;
};

const PLAIN = /^[A-Za-z0-9 ._:@/*-]{0,128}$/;

/** Every place that names a tenant (or an actor), the credential first. A body without the member names none. */
export function claimsOf(sources: ClaimSources): Claimed[] {
  const claims: Claimed[] = sources.credential.map((value) => ({ from: 'credential', value }));
  if (sources.header !== null) claims.push({ from: 'header', value: plainValue(sources.header) });
  const named = sources.pointer === null ? undefined : valueAt(sources.body, sources.pointer);
  if (named !== undefined) claims.push({ from: 'body', value: plainValue(named) });
  return claims;
}

/** A name that could not be a tenant or an actor is only hashed: free text does not belong into a record. */
function plainValue(value: JsonValue): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return PLAIN.test(text) && typeof value === 'string' ? text : `sha256:${digestOf(text)}`;
}
