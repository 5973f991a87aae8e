// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { keyIdOf } from '@clyra/core/signing/ed25519';
import { pae } from '@clyra/core/signing/pae';
import { parseTrustRoot, type Role, type TrustRoot } from '@clyra/core/signing/trust-root';

export const TRUST_ROOT_TYPE = 'application/vnd.clyra.trust-root.v0+json';

export type TrustRootKey = {
  /** 32 raw bytes. */
  readonly publicKey: Uint8Array;
  readonly roles: readonly Role[];
  /** The person or machine behind the key; two-person rules compare subjects. */
  readonly subject: string;
  /** The organisation that runs it. */
  readonly operator: string;
  readonly validFromMs: number;
  readonly validToMs: number;
  readonly revoked?: { readonly atMs: number; readonly reason: string };
};

export type TrustRootPlan = {
  readonly version: number;
  readonly expiresAtMs: number;
  readonly logOrigin: string;
  /** One person holds all keys; printed in every bundle. */
  readonly singleOperator: boolean;
  readonly keys: readonly TrustRootKey[];
};

export type TrustRootFile = {
  /** trust-root.json (docs/spec/bundle.md §2). */
  readonly bytes: Uint8Array;
  /** trust-root.dsse.json: signatures of keys with role root over exactly these bytes. */
  readonly dsse: Uint8Array;
  readonly trustRoot: TrustRoot;
};

/**
 * Builds a trust root and signs it with its own root keys. Throws CLY_TRUST_ROOT_INVALID where a reader would refuse
 * it, or where a signer is not one of its root keys.
 */
export async function buildTrustRoot(plan: TrustRootPlan, rootSigners: readonly Signer[]): Promise<TrustRootFile> {
  const bytes = Buffer.from(canonicalJson(documentOf(plan)), 'utf8');
  const trustRoot = parseTrustRoot(bytes);
  if (rootSigners.length === 0) throw invalid('needs the signature of a root key');
  const signatures: JsonObject[] = [];
  for (const signer of rootSigners) {
    if (trustRoot.keys.get(signer.keyId)?.roles.has('root') !== true) {
      throw invalid(`names no key ${signer.keyId} with role root`);
    }
    const sig = await signer.sign(pae(TRUST_ROOT_TYPE, bytes));
    signatures.push({ keyid: signer.keyId, sig: Buffer.from(sig).toString('base64') });
  }
  const envelope = { payload: bytes.toString('base64'), payloadType: TRUST_ROOT_TYPE, signatures };
  return { bytes, dsse: Buffer.from(canonicalJson(envelope), 'utf8'), trustRoot };
}

function documentOf(plan: TrustRootPlan): JsonObject {
  return {
    format: 'clyra/trust-root/v0',
    version: plan.version,
    expires_at: plan.expiresAtMs,
    log_origin: plan.logOrigin,
    single_operator: plan.singleOperator,
    keys: plan.keys.map(keyDocument),
  };
}

function keyDocument(key: TrustRootKey): JsonObject {
  return {
    key_id: keyIdOf(key.publicKey),
    alg: 'ed25519',
    public_key: Buffer.from(key.publicKey).toString('base64'),
    roles: [...key.roles],
    subject: key.subject,
    operator: key.operator,
    valid_from: key.validFromMs,
    valid_to: key.validToMs,
    ...(key.revoked === undefined ? {} : { revoked_at: key.revoked.atMs, reason: key.revoked.reason }),
  };
}

function invalid(what: string): ClyraError {
  return new ClyraError('CLY_TRUST_ROOT_INVALID', `the trust root ${what}`, { retry: 'never' });
}
