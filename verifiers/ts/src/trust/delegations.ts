// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { base64Of, closed, id, integer, list, oneOf, ShapeError, text } from '../json/shape.ts';
import { importEd25519 } from '../signature/ed25519.ts';
import { type KeyCode, type Moment, refuseKey, refuseMoment } from './judge-key.ts';
import { type Role, readRole, type TrustedKey, type TrustRoot } from './trust-root.ts';

export const DELEGATIONS_MAX = 64;
const SPAN_MS_MAX = 604_800_000;
const LENT: ReadonlySet<Role> = new Set<Role>(['intake', 'enforcer', 'recorder']);

const readLentKey = closed({
  alg: oneOf('ed25519'),
  key_id: id,
  public_key: base64Of(32),
  roles: list(readRole, LENT.size),
  valid_from: integer(0),
  valid_to: integer(0),
});
export const readCommandSignatures = list(closed({ key_id: id, sig: text }), 16);

/** Until when a delegation lends; null where it does not say. */
export function validToOf({ key }: JsonObject): number | null {
  const validTo = isObject(key) ? key.valid_to : undefined;
  return typeof validTo === 'number' && validTo >= 0 ? validTo : null;
}

/** A delegation as a ledger carries it. */
export interface Delegation {
  readonly append_time: number;
  readonly command: JsonObject;
  readonly signatures: JsonValue;
}

interface Lent {
  readonly key: TrustedKey;
  readonly by: TrustedKey;
  readonly madeAtMs: number;
}

/** The keys that a bundle's lines may be signed with: those of the trust root, and what they lent (trust.md §5). */
export class KeyBook {
  readonly trustRoot: TrustRoot;
  readonly #lent: Map<string, Lent[]> = new Map();
  readonly #trustedMs: number | null;

  constructor(trustRoot: TrustRoot, trustedMs: number | null) {
    this.trustRoot = trustRoot;
    this.#trustedMs = trustedMs;
  }

  /** Takes a delegation into account from now on. One that breaks a rule lends nothing. */
  lend(delegation: Delegation): void {
    const lent = this.#read(delegation);
    if (lent === null) {
      return;
    }
    const known = this.#lent.get(lent.key.keyId) ?? [];
    this.#lent.set(lent.key.keyId, [...known.slice(1 - DELEGATIONS_MAX), lent]);
  }

  /** Why the key of that id may not sign in one of these roles at the append time of a line, or the key. */
  judge(keyId: string, roles: readonly Role[], timeMs: number): KeyCode | TrustedKey {
    const at = { timeMs, trustedMs: this.#trustedMs };
    const own = this.trustRoot.keys.get(keyId);
    const lent = this.#lent.get(keyId);
    if (own !== undefined || lent === undefined) {
      return refuseKey(own, roles, at) ?? (own as TrustedKey);
    }
    // Any delegation that holds is enough; else the newest one says why not.
    const verdicts = lent.map((one) => refuseLent(one, roles, at));
    const good = verdicts.indexOf(null);
    return good >= 0 ? (lent[good] as Lent).key : (verdicts.at(-1) as KeyCode);
  }

  get trustedMs(): number | null {
    return this.#trustedMs;
  }

  #read({ append_time: madeAtMs, command, signatures }: Delegation): Lent | null {
    try {
      const key = readLentKey(command.key, 'key');
      const [first, ...others] = readCommandSignatures(signatures, 'signatures');
      const by = this.trustRoot.keys.get(first?.key_id ?? '');
      if (by === undefined || others.length > 0 || !isAllowed(key, by, this.trustRoot)) {
        return null;
      }
      return { key: lentKey(key, by), by, madeAtMs };
    } catch (error) {
      if (error instanceof ShapeError) {
        return null;
      }
      throw error;
    }
  }
}

function isAllowed(key: ReturnType<typeof readLentKey>, by: TrustedKey, trustRoot: TrustRoot): boolean {
  const isLendable =
    new Set(key.roles).size === key.roles.length &&
    key.roles.length > 0 &&
    key.roles.every((role) => LENT.has(role) && by.roles.has(role));
  const isInWindow = key.valid_from >= by.validFromMs && key.valid_to <= by.validToMs;
  const span = key.valid_to - key.valid_from;
  const isNamed = sha256Hex(key.public_key).slice(0, 32) === key.key_id && !trustRoot.keys.has(key.key_id);
  return isLendable && isInWindow && span >= 0 && span <= SPAN_MS_MAX && isNamed;
}

function lentKey(key: ReturnType<typeof readLentKey>, by: TrustedKey): TrustedKey {
  return {
    keyId: key.key_id,
    alg: key.alg,
    publicKey: key.public_key,
    ed25519: importEd25519(key.public_key),
    roles: new Set(key.roles),
    subject: by.subject,
    operator: by.operator,
    validFromMs: key.valid_from,
    validToMs: key.valid_to,
    revokedAtMs: by.revokedAtMs,
    name: null,
  };
}

function refuseLent(lent: Lent, roles: readonly Role[], at: Moment): KeyCode | null {
  return refuseKey(lent.key, roles, at) ?? refuseMoment(lent.by, { ...at, timeMs: lent.madeAtMs });
}
