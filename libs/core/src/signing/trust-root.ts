// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { Digest } from '../canonical/digest.ts';

export const ROLES = [
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

export type TrustedKey = {
  readonly keyId: string;
  readonly publicKey: Uint8Array;
  readonly keyObject: KeyObject;
  readonly roles: ReadonlySet<Role>;
  /** The person or machine behind the key: two-person rules compare subjects, never keys. */
  readonly subject: string;
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | undefined;
  /** Of a witness: the name in its note lines. */
  readonly name: string | undefined;
};

/** Whose word about time counts (docs/spec/trust.md §1). */
export type TimeAuthority = {
  readonly name: string;
  readonly operator: string;
  /** X.509 in DER. */
  readonly certificate: Uint8Array;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revokedAtMs: number | undefined;
};

/** How many different subjects (root) or operators (tsa, witness) it takes. */
export type Thresholds = { readonly root: number; readonly tsa: number; readonly witness: number };

export type TrustRoot = {
  readonly digest: Digest;
  readonly version: number;
  /** Digests of the versions before, oldest first. */
  readonly history: readonly Digest[];
  readonly issuedAtMs: number;
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  readonly singleOperator: boolean;
  readonly thresholds: Thresholds;
  readonly keys: ReadonlyMap<string, TrustedKey>;
  readonly timeAuthorities: readonly TimeAuthority[];
  /** Keys that are lent to processes of one tenant (signing/delegation); a document has none. */
  readonly delegated?: ReadonlyMap<string, readonly TrustedKey[]>;
};

type KeyUse = { readonly keyId: string; readonly role: Role; readonly atMs: number };

/** The key if it may sign for the role at that time, else undefined. A listed key is judged by its own entry alone. */
export function keyFor(root: TrustRoot, use: KeyUse): TrustedKey | undefined {
  const listed = root.keys.get(use.keyId);
  if (listed !== undefined) return maySign(listed, use) ? listed : undefined;
  return root.delegated?.get(use.keyId)?.find((lent) => maySign(lent, use));
}

function maySign(key: TrustedKey, { role, atMs }: KeyUse): boolean {
  const isInside = atMs >= key.validFromMs && atMs <= key.validToMs;
  return key.roles.has(role) && isInside && (key.revokedAtMs === undefined || atMs < key.revokedAtMs);
}

/** Whether a document that names this digest is judged by this trust root: it is the one, or an earlier version. */
export function coversDigest(root: TrustRoot, digest: Digest): boolean {
  return root.digest === digest || root.history.includes(digest);
}
