// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { pae } from '@clyra/core/signing/pae';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { Role, Thresholds, TrustRoot } from '@clyra/core/signing/trust-root';
import { TRUST_ROOT_TYPE, type TrustRootFiles } from '@clyra/core/signing/trust-root-rotation';

type Window = {
  /** The organisation that runs it. */
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revoked?: { readonly atMs: number; readonly reason: string };
};

export type TrustRootKey = Window & {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  readonly roles: readonly Role[];
  /** The person or machine behind the key; two-person rules compare subjects. */
  readonly subject: string;
  /** Of a witness, and only of one: the name in its note lines. */
  readonly name?: string;
};

export type TrustRootTimeAuthority = Window & {
  readonly name: string;
  /** X.509 in DER. */
  readonly certificate: Uint8Array;
};

export type TrustRootPlan = {
  readonly version: number;
  /** Digests of the versions before; none at version 1. */
  readonly history?: readonly string[];
  readonly issuedAtMs?: number;
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  /** One person holds all keys; printed in every bundle. */
  readonly singleOperator: boolean;
  readonly thresholds?: Thresholds;
  readonly keys: readonly TrustRootKey[];
  readonly timeAuthorities?: readonly TrustRootTimeAuthority[];
};

/** Both files (docs/spec/trust.md §1 and §2) and what a reader makes of the first. */
export type TrustRootFile = TrustRootFiles & { readonly trustRoot: TrustRoot };

/**
 * Builds a trust root and signs it with its own root keys. Throws CLY_TRUST_ROOT_INVALID where a reader would refuse
 * it, or where a signer is not one of its root keys. Whether the signatures are enough is for a reader to say.
 */
export async function buildTrustRoot(plan: TrustRootPlan, rootSigners: readonly Signer[]): Promise<TrustRootFile> {
  const bytes = Buffer.from(canonicalJson(documentOf(plan)), 'utf8');
  const trustRoot = parseTrustRoot(bytes);
  if (rootSigners.length === 0) throw invalid('needs the signature of a root key');
  for (const { keyId } of rootSigners) {
    if (trustRoot.keys.get(keyId)?.roles.has('root') !== true) throw invalid(`names no key ${keyId} with role root`);
  }
  return { bytes, dsse: await signTrustRoot({ bytes }, rootSigners), trustRoot };
}

/** The envelope with these signatures added: people who hold root keys sign one after the other, each at home. */
export async function signTrustRoot(
  { bytes, dsse }: Pick<TrustRootFiles, 'bytes'> & Partial<TrustRootFiles>,
  signers: readonly Signer[],
): Promise<Uint8Array> {
  const signatures = new Map<string, string>(dsse === undefined ? [] : signaturesOf(dsse));
  for (const signer of signers) {
    const sig = await signer.sign(pae(TRUST_ROOT_TYPE, bytes));
    signatures.set(signer.keyId, Buffer.from(sig).toString('base64'));
  }
  const envelope = {
    payload: Buffer.from(bytes).toString('base64'),
    payloadType: TRUST_ROOT_TYPE,
    signatures: [...signatures].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([keyid, sig]) => ({ keyid, sig })),
  };
  return Buffer.from(canonicalJson(envelope), 'utf8');
}

function signaturesOf(dsse: Uint8Array): readonly (readonly [string, string])[] {
  const envelope = parseJson(dsse, { bytesMax: 2_097_152, depthMax: 4, valuesMax: 400 });
  const signatures = isJsonObject(envelope) ? envelope['signatures'] : undefined;
  if (!Array.isArray(signatures)) throw invalid('has a DSSE envelope without signatures');
  return signatures.map(({ keyid, sig }: JsonObject) => [String(keyid), String(sig)] as const);
}

function documentOf(plan: TrustRootPlan): JsonObject {
  return {
    format: 'clyra/trust-root/v0',
    version: plan.version,
    history: [...(plan.history ?? [])],
    issued_at: plan.issuedAtMs ?? 0,
    expires_at: plan.expiresAtMs,
    log_origin: plan.logOrigin,
    single_operator: plan.singleOperator,
    thresholds: plan.thresholds ?? { root: 1, tsa: 1, witness: 1 },
    keys: plan.keys.map(keyDocument),
    time_authorities: (plan.timeAuthorities ?? []).map(timeAuthorityDocument),
  };
}

function keyDocument(key: TrustRootKey): JsonObject {
  return {
    key_id: keyIdOf(key.publicKey),
    alg: 'ed25519',
    public_key: Buffer.from(key.publicKey).toString('base64'),
    roles: [...key.roles],
    subject: key.subject,
    ...(key.name === undefined ? {} : { name: key.name }),
    ...windowDocument(key),
  };
}

function timeAuthorityDocument({ name, certificate, ...window }: TrustRootTimeAuthority): JsonObject {
  return { name, certificate: Buffer.from(certificate).toString('base64'), ...windowDocument(window) };
}

function windowDocument(entry: Window): JsonObject {
  return {
    operator: entry.operator,
    valid_from: entry.validFromMs,
    valid_to: entry.validToMs,
    ...(entry.revoked === undefined ? {} : { revoked_at: entry.revoked.atMs, reason: entry.revoked.reason }),
  };
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_TRUST_ROOT_INVALID', `the trust root ${what}`, { retry: 'never' });
}
