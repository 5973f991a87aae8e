// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { sha256Hex } from '../hash/sha256.ts';
import { parseJson } from '../json/parse.ts';
import {
  base64,
  base64Of,
  closed,
  digest,
  flag,
  id,
  integer,
  list,
  matching,
  oneOf,
  optional,
  ShapeError,
} from '../json/shape.ts';
import { importEd25519 } from '../signature/ed25519.ts';
import { type Certificate, readCertificate } from '../time/certificate.ts';
import { DerError } from '../time/der.ts';

const ROLES = [
  'root',
  'log',
  'bundler',
  'attestor',
  'enforcer',
  'intake',
  'recorder',
  'operator',
  'policy_author',
  'policy_approver',
  'approver',
  'witness',
  'delegator',
] as const;
export type Role = (typeof ROLES)[number];
export const readRole = oneOf(...ROLES);

export const TRUST_ROOT_BYTES_MAX = 1_048_576;
const DEPTH_MAX = 8;
const CERTIFICATE_BYTES_MAX = 8_192;

export interface TrustedKey {
  readonly keyId: string;
  readonly alg: string;
  readonly publicKey: Buffer;
  /** Null for an algorithm that this version does not know: such a key is listed, and signs nothing. */
  readonly ed25519: KeyObject | null;
  readonly roles: ReadonlySet<Role>;
  readonly subject: string;
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | null;
  /** Of a witness: the name in its note lines. */
  readonly name: string | null;
}

export interface TimeAuthority {
  readonly name: string;
  readonly operator: string;
  readonly certificateBytes: Buffer;
  /** Null: one that cannot be read, and so issues nothing. */
  readonly certificate: Certificate | null;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | null;
}

export interface TrustRoot {
  /** Of the file: auditors compare it with the one they were given at onboarding. */
  readonly digest: string;
  readonly version: number;
  /** Digests of the versions before. */
  readonly history: readonly string[];
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  readonly singleOperator: boolean;
  readonly thresholds: { readonly tsa: number; readonly witness: number };
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly timeAuthorities: readonly TimeAuthority[];
}

const ms = integer(0);
const short = matching(/^[\s\S]{1,256}$/u, 'must be 1 to 256 characters');
const threshold = integer(1, 32);
const window = { valid_from: ms, valid_to: ms, revoked_at: optional(ms), reason: optional(short) };
const readKey = closed({
  key_id: id,
  alg: short,
  public_key: base64Of(32),
  roles: list(readRole, ROLES.length),
  subject: short,
  operator: short,
  name: optional(matching(/^[^\s+]{1,256}$/u, 'must be 1 to 256 characters without white space or +')),
  ...window,
});
const readAuthority = closed({ name: short, operator: short, certificate: base64, ...window });
const readRoot = closed({
  format: oneOf('clyra/trust-root/v0'),
  version: integer(1, 1_025),
  history: optional(list(digest, 1_024)),
  issued_at: optional(ms),
  expires_at: ms,
  log_origin: matching(/^[a-z0-9][a-z0-9./-]{0,399}$/, 'must be an origin'),
  single_operator: flag,
  thresholds: optional(closed({ root: threshold, tsa: threshold, witness: threshold })),
  keys: list(readKey, 1_024),
  time_authorities: optional(list(readAuthority, 32)),
});

/** Parses trust-root.json (trust.md §1). Throws JsonError, ShapeError or DerError. */
export function parseTrustRoot(bytes: Uint8Array): TrustRoot {
  const form = { grammar: 'record', canonical: false, bytesMax: TRUST_ROOT_BYTES_MAX, depthMax: DEPTH_MAX } as const;
  const root = readRoot(parseJson(bytes, form).value, '');
  const history = root.history ?? [];
  if (history.length !== root.version - 1) {
    throw new ShapeError('history', 'must name each version before this one');
  }
  return {
    digest: sha256Hex(bytes),
    version: root.version,
    history,
    expiresAtMs: root.expires_at,
    logOrigin: root.log_origin,
    singleOperator: root.single_operator,
    thresholds: root.thresholds ?? { tsa: 1, witness: 1 },
    keys: unique(root.keys.map(importKey), ({ keyId }) => keyId, 'keys'),
    timeAuthorities: [
      ...unique((root.time_authorities ?? []).map(importAuthority), ({ name }) => name, 'time_authorities').values(),
    ],
  };
}

function unique<T>(values: readonly T[], keyOf: (value: T) => string, member: string): Map<string, T> {
  const byKey = new Map(values.map((value) => [keyOf(value), value]));
  if (byKey.size !== values.length) {
    throw new ShapeError(member, 'names one a second time');
  }
  return byKey;
}

function importKey(key: ReturnType<typeof readKey>, index: number): TrustedKey {
  const member = `keys[${index}]`;
  const roles = new Set(key.roles);
  const rules: readonly (readonly [string, boolean, string])[] = [
    ['key_id', sha256Hex(key.public_key).slice(0, 32) === key.key_id, 'is not the digest of the public key'],
    ['roles', roles.size === key.roles.length, 'names a role twice'],
    ['name', (key.name !== undefined) === roles.has('witness'), 'stands at witnesses and only there'],
    ...windowRules(key),
  ];
  requireRules(member, rules);
  return {
    keyId: key.key_id,
    alg: key.alg,
    publicKey: key.public_key,
    ed25519: key.alg === 'ed25519' ? importEd25519(key.public_key) : null,
    roles,
    subject: key.subject,
    operator: key.operator,
    validFromMs: key.valid_from,
    validToMs: key.valid_to,
    revokedAtMs: key.revoked_at ?? null,
    name: key.name ?? null,
  };
}

function importAuthority(authority: ReturnType<typeof readAuthority>, index: number): TimeAuthority {
  const member = `time_authorities[${index}]`;
  requireRules(member, [
    ['certificate', authority.certificate.length <= CERTIFICATE_BYTES_MAX, 'is too large'],
    ...windowRules(authority),
  ]);
  return {
    name: authority.name,
    operator: authority.operator,
    certificateBytes: authority.certificate,
    certificate: importCertificate(authority.certificate),
    validFromMs: authority.valid_from,
    validToMs: authority.valid_to,
    revokedAtMs: authority.revoked_at ?? null,
  };
}

function importCertificate(bytes: Buffer): Certificate | null {
  try {
    return readCertificate(bytes);
  } catch (error) {
    if (error instanceof DerError) {
      return null;
    }
    throw error;
  }
}

type KeyRule = readonly [member: string, holds: boolean, message: string];

function windowRules(of: {
  readonly valid_from: number;
  readonly valid_to: number;
  readonly revoked_at: number | undefined;
  readonly reason: string | undefined;
}): readonly KeyRule[] {
  return [
    ['valid_to', of.valid_from <= of.valid_to, 'must not be before valid_from'],
    ['reason', (of.revoked_at === undefined) === (of.reason === undefined), 'comes with revoked_at'],
  ];
}

function requireRules(member: string, rules: readonly KeyRule[]): void {
  for (const [name, holds, message] of rules) {
    if (!holds) {
      throw new ShapeError(`${member}.${name}`, message);
    }
  }
}
