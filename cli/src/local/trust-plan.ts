// SPDX-License-Identifier: Apache-2.0
import type { TrustRootKey, TrustRootPlan } from '@clyra/adapter-signing/trust-root-file';
import type { Role } from '@clyra/core/signing/trust-root';
import { type KeyName, PEOPLE } from './layout.ts';

const DAY_MS = 86_400_000;

export const LOCAL_ROLES: Readonly<Record<KeyName, readonly Role[]>> = {
  root: ['root'],
  operator: ['operator'],
  'second-operator': ['operator'],
  'policy-author': ['policy_author'],
  'policy-approver': ['policy_approver'],
  approver: ['approver'],
  'human-door': ['approver'],
  enforcer: ['enforcer'],
  intake: ['intake'],
  recorder: ['recorder'],
  bundler: ['bundler'],
  log: ['log'],
  attestor: ['attestor'],
};

export type TrustPlanOptions = {
  readonly nowMs: number;
  /** Random, so that two installations never share a log origin. */
  readonly installationId: string;
  readonly keys: readonly { readonly name: KeyName; readonly publicKey: Uint8Array }[];
  /** DER, of the local time-stamping authority. */
  readonly tsaCertificate: Uint8Array;
};

/**
 * One person holds every key of a local installation, so the trust root says `single_operator` and each bundle prints
 * it. The people still have different subjects: two-person commands take two signatures here as they do elsewhere.
 * The time-stamping authority is of the same operator: what it says is no outside word, and the claim `time` says so.
 */
export function localTrustPlan({ nowMs, installationId, keys, tsaCertificate }: TrustPlanOptions): TrustRootPlan {
  const validFromMs = nowMs - DAY_MS;
  const validToMs = nowMs + 365 * DAY_MS;
  return {
    version: 1,
    expiresAtMs: validToMs,
    logOrigin: `clyra.local/${installationId}`,
    singleOperator: true,
    keys: keys.map(
      ({ name, publicKey }): TrustRootKey => ({
        publicKey,
        roles: LOCAL_ROLES[name],
        subject: isPerson(name) ? `local:${name}` : `service:${name}`,
        operator: 'local',
        validFromMs,
        validToMs,
      }),
    ),
    timeAuthorities: [{ name: 'local TSA', certificate: tsaCertificate, operator: 'local', validFromMs, validToMs }],
  };
}

function isPerson(name: KeyName): boolean {
  return (PEOPLE as readonly string[]).includes(name);
}
