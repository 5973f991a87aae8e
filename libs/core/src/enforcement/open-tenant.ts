// SPDX-License-Identifier: Apache-2.0
import { DIGEST } from '../canonical/digest.ts';
import type { CommandChange } from '../change/change-body.ts';
import type { CommandSigner } from './decide-input.ts';
import { COMMAND_VALID_MS_MAX, ENGINE_1, TIME_SKEW_MS_MAX } from './limits.ts';
import type { TenantMeta } from './tenant-meta.ts';
import { isSkewed } from './time-skew.ts';

type Opening = {
  readonly change: CommandChange;
  readonly partition: number;
  readonly nowMs: number;
  readonly signatureValid: boolean;
  readonly signers: readonly CommandSigner[];
};

/** The first meta record of a tenant, or the code that says why it is not opened here. */
export function openingMeta({ change, partition, nowMs, signatureValid, signers }: Opening): TenantMeta | string {
  const { command } = change;
  if (!signatureValid) return 'CLY_CHANGE_SIGNATURE';
  if (command['partition'] !== partition) return 'CLY_TENANT_PARTITION';
  if (!signers.some((signer) => signer.roles.has('operator'))) return 'CLY_COMMAND_ROLE';
  const { engine, trust_root: trustRoot, policy, issued_at: issuedAt, expires_at: expiresAt } = command;
  if (!Number.isSafeInteger(issuedAt) || !Number.isSafeInteger(expiresAt)) return 'CLY_COMMAND_MALFORMED';
  if ((expiresAt as number) - (issuedAt as number) > COMMAND_VALID_MS_MAX) return 'CLY_COMMAND_VALIDITY';
  if ((issuedAt as number) > nowMs + TIME_SKEW_MS_MAX || (expiresAt as number) <= nowMs) return 'CLY_COMMAND_EXPIRED';
  if (engine !== ENGINE_1) return 'CLY_ENGINE_UNSUPPORTED';
  if (typeof trustRoot !== 'string' || !DIGEST.test(trustRoot)) return 'CLY_COMMAND_MALFORMED';
  if (policy !== null && (typeof policy !== 'string' || !DIGEST.test(policy))) return 'CLY_COMMAND_MALFORMED';
  // Tenant time never goes back, so it must not begin in the future of a broker whose clock is wrong.
  const time = isSkewed(change, nowMs) ? Math.min(change.intake_at, nowMs) : nowMs;
  return { tenant: change.tenant, engine: ENGINE_1, policy, trust_root: trustRoot, time, window: 0, tick: 0 };
}
