// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { CommandKind, CommandSignature } from '@clyra/core/change/change-body';
import { TENANT } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { COMMAND_TYPE, pae } from '@clyra/core/signing/pae';

/** A command is good for this long: enough for two people at two machines, short enough to be forgotten safely. */
export const COMMAND_VALID_MS = 600_000;

export type CommandOrder = {
  readonly kind: CommandKind;
  readonly tenant: string;
  readonly nowMs: number;
  /** The subject of the first signer. */
  readonly subject: string;
  /** Digest of what it replaces, or null. */
  readonly replaces: string | null;
  /** Members of this kind (docs/spec/records.md §4.2). */
  readonly members: JsonObject;
};

export function commandOf(order: CommandOrder): JsonObject {
  if (!TENANT.test(order.tenant)) {
    throw new ClyraError('CLY_CLI_ARGUMENT', `${order.tenant} is not a tenant: use a-z, 0-9 and hyphens, at most 63`, {
      retry: 'never',
    });
  }
  return {
    kind: order.kind,
    tenant: order.tenant,
    issued_at: order.nowMs,
    expires_at: order.nowMs + COMMAND_VALID_MS,
    subject: order.subject,
    replaces: order.replaces,
    ...order.members,
  };
}

/** Every signer signs the same canonical bytes of the command (docs/spec/records.md §3). */
export async function signCommand(command: JsonObject, signers: readonly Signer[]): Promise<CommandSignature[]> {
  const signed = pae(COMMAND_TYPE, encodeRecord(command));
  const signatures: CommandSignature[] = [];
  for (const signer of signers) {
    signatures.push({ key_id: signer.keyId, sig: Buffer.from(await signer.sign(signed)).toString('base64') });
  }
  return signatures;
}
