// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import { importPublicKey, keyIdOf, verifyEd25519 } from './ed25519.ts';
import { COMMAND_TYPE, pae } from './pae.ts';
import { keyFor, type Role, type TrustedKey, type TrustRoot } from './trust-root.ts';

/** What an allowed `key.delegated` lends, as the state of a tenant keeps it (docs/spec/trust.md §5). */
export type Delegation = {
  readonly key_id: string;
  readonly public_key: string;
  readonly roles: readonly Role[];
  readonly valid_from: number;
  readonly valid_to: number;
  /** Key id of the delegating key. */
  readonly by: string;
};

export type SignedCommand = {
  readonly command: JsonObject;
  readonly signatures: readonly { readonly key_id: string; readonly sig: string }[];
};

const WINDOW_MS_MAX = 604_800_000;
/** Of processes that sign at a rate no KMS keeps up with. */
const LENDABLE: ReadonlySet<string> = new Set<Role>(['intake', 'enforcer', 'recorder']);
const MEMBERS = ['alg', 'key_id', 'public_key', 'roles', 'valid_from', 'valid_to'];

/** What the command lends under this trust root at that time, or undefined where a rule is broken. Pure. */
export function readDelegation(root: TrustRoot, signed: SignedCommand, atMs: number): Delegation | undefined {
  const lent = readKey(signed.command['key']);
  if (lent === undefined || root.keys.has(lent.key_id)) return undefined;
  const message = pae(COMMAND_TYPE, encodeRecord(signed.command));
  for (const { key_id: keyId, sig } of signed.signatures) {
    const by = keyFor(root, { keyId, role: 'delegator', atMs });
    if (by === undefined || !verifyEd25519(by.keyObject, message, Buffer.from(sig, 'base64'))) continue;
    const isInside = lent.valid_from >= by.validFromMs && lent.valid_to <= by.validToMs;
    if (isInside && lent.roles.every((role) => by.roles.has(role))) return { ...lent, by: keyId };
  }
  return undefined;
}

function readKey(value: JsonObject[string]): Omit<Delegation, 'by'> | undefined {
  if (!isJsonObject(value) || Object.keys(value).toSorted().join() !== MEMBERS.join()) return undefined;
  const { alg, key_id: keyId, public_key: encoded, roles, valid_from: from, valid_to: to } = value;
  if (alg !== 'ed25519' || typeof keyId !== 'string' || typeof encoded !== 'string') return undefined;
  const publicKey = Buffer.from(encoded, 'base64');
  if (publicKey.length !== 32 || publicKey.toString('base64') !== encoded || keyIdOf(publicKey) !== keyId)
    return undefined;
  const isLendable = Array.isArray(roles) && roles.length > 0 && new Set(roles).size === roles.length;
  if (!isLendable || !roles.every((role) => LENDABLE.has(String(role)))) return undefined;
  if (!isTime(from) || !isTime(to) || from > to || to - from > WINDOW_MS_MAX) return undefined;
  return { key_id: keyId, public_key: encoded, roles: roles as Role[], valid_from: from, valid_to: to };
}

function isTime(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** The trust root as it stands for one tenant: with the keys that are lent to its processes. */
export function withDelegations(root: TrustRoot, delegations: Iterable<Delegation>): TrustRoot {
  const delegated = new Map<string, TrustedKey[]>();
  for (const delegation of delegations) {
    const key = delegatedKey(root, delegation);
    if (key !== undefined) delegated.set(key.keyId, [...(delegated.get(key.keyId) ?? []), key]);
  }
  return delegated.size === 0 ? root : { ...root, delegated };
}

/** Subject, operator and revocation are the delegating key's; undefined where the trust root does not know that. */
function delegatedKey(
  root: TrustRoot,
  { key_id: keyId, public_key: encoded, ...lent }: Delegation,
): TrustedKey | undefined {
  const by = root.keys.get(lent.by);
  if (by === undefined) return undefined;
  const publicKey = Buffer.from(encoded, 'base64');
  return {
    keyId,
    publicKey,
    keyObject: importPublicKey(publicKey),
    roles: new Set(lent.roles.filter((role) => by.roles.has(role))),
    subject: by.subject,
    operator: by.operator,
    validFromMs: lent.valid_from,
    validToMs: lent.valid_to,
    revokedAtMs: by.revokedAtMs,
    name: undefined,
  };
}
