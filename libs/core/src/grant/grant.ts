// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, type KeyObject, timingSafeEqual } from 'node:crypto';
import { DIGEST, type Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { ClyraError } from '../kernel/error.ts';

/**
 * What one allowed change, or one member of a change set, may do at one place (docs/spec/grants.md). Minted by intake
 * after `allow`, redeemed once by the database that holds the same key. Member names are those on the wire.
 */
export type Grant = {
  readonly v: 0;
  /** 32 hex digits: the execution token. Only its digest is in the log. */
  readonly token: string;
  readonly tenant: string;
  readonly event_id: string;
  readonly source_id: string;
  /** The database that redeems it. */
  readonly database: string;
  /** The role that must have logged in, or null for any writer. */
  readonly role: string | null;
  /** Digest of the one statement that may be run with it, or null. */
  readonly member: Digest | null;
  /** `schema.name`. */
  readonly relations: readonly string[];
  readonly operations: readonly string[];
  readonly rows_max: number;
  /** Milliseconds since 1970. */
  readonly not_before: number;
  readonly expires_at: number;
};

/** Secret of the place that redeems: 32 to 64 bytes. */
export type GrantKey = Uint8Array | KeyObject;

/** The place and moment at which a grant is checked. */
export type Redemption = {
  readonly source_id: string;
  readonly database: string;
  readonly role: string;
  readonly member: Digest | null;
  readonly nowMs: number;
};

const DOMAIN = 'clyra/grant/v0\n';
const MEMBER_DOMAIN = 'clyra/grant/member/v0\n';
const TEXT_BYTES_MAX = 65_536;
const TEXT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\.[0-9a-f]{64}$/;
const TOKEN = /^[0-9a-f]{32}$/;
const TEXTS = ['token', 'tenant', 'event_id', 'source_id', 'database'] as const;
const INTEGERS = ['rows_max', 'not_before', 'expires_at'] as const;
/** A database whose clock is behind must not refuse what was allowed just now; after the end nothing is tolerated. */
export const GRANT_EARLY_MS = 5_000;

/**
 * The token of one member of a change set: whoever is given it learns no other member's. 32 hex digits, as the
 * execution token of the change is.
 */
export function memberToken(executionToken: string, index: number): string {
  return createHmac('sha256', executionToken).update(`${MEMBER_DOMAIN}${index}`).digest('hex').slice(0, 32);
}

/** The grant as text: base64 of its canonical bytes, a dot, and its MAC in hex. */
export function mintGrant(grant: Grant, key: GrantKey): string {
  const payload = encodeRecord(grant as unknown as JsonObject);
  return `${Buffer.from(payload).toString('base64')}.${macOf(payload, key).toString('hex')}`;
}

/**
 * The grant in a text that the key vouches for. Throws CLY_GRANT_MALFORMED or CLY_GRANT_FORGED (never): nothing is
 * read out of it before its MAC was checked.
 */
export function openGrant(text: string, key: GrantKey): Grant {
  if (text.length > TEXT_BYTES_MAX || !TEXT.test(text)) throw refused('MALFORMED', 'this is not a grant');
  const [encoded, mac] = text.split('.') as [string, string];
  const payload = Buffer.from(encoded, 'base64');
  const given = createHash('sha256').update(Buffer.from(mac, 'hex')).digest();
  const expected = createHash('sha256').update(macOf(payload, key)).digest();
  if (!timingSafeEqual(given, expected)) throw refused('FORGED', 'the key of this place did not make this grant');
  return readGrant(parseRecord(payload));
}

/**
 * As the database judges it, except that only the database knows whether the token was used. Throws the code that
 * `clyra.redeem` has as `CLY_GUARD_GRANT_…`.
 */
export function checkGrant(grant: Grant, at: Redemption): void {
  if (grant.source_id !== at.source_id || grant.database !== at.database) {
    throw refused('ELSEWHERE', 'the grant is for another database');
  }
  if (grant.role !== null && grant.role !== at.role) throw refused('ROLE', 'the grant is for another role');
  if (at.nowMs < grant.not_before - GRANT_EARLY_MS || at.nowMs > grant.expires_at) {
    throw refused('EXPIRED', 'the grant is not valid now; ask for the change again');
  }
  if (grant.member !== null && grant.member !== at.member)
    throw refused('MEMBER', 'the grant is for another statement');
}

function macOf(payload: Uint8Array, key: GrantKey): Buffer {
  return createHmac('sha256', key).update(DOMAIN).update(payload).digest();
}

function readGrant(record: JsonObject): Grant {
  const { v, token, role, member, relations, operations } = record;
  const isWhole =
    v === 0 &&
    TEXTS.every((name) => typeof record[name] === 'string') &&
    INTEGERS.every((name) => Number.isSafeInteger(record[name])) &&
    TOKEN.test(token as string) &&
    (role === null || typeof role === 'string') &&
    (member === null || (typeof member === 'string' && DIGEST.test(member))) &&
    [relations, operations].every((list) => Array.isArray(list) && list.every((item) => typeof item === 'string'));
  if (!isWhole) throw refused('VERSION', 'the grant is not of version 0');
  return record as unknown as Grant;
}

function refused(what: string, message: string): ClyraError {
  return new ClyraError(`CLY_GRANT_${what}`, message, { retry: 'never' });
}
