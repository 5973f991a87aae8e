// SPDX-License-Identifier: Apache-2.0
import { encodeRecord } from '../canonical/record.ts';
import type { CommandChange } from '../change/change-body.ts';
import { verifyEd25519 } from '../signing/ed25519.ts';
import { COMMAND_TYPE, pae } from '../signing/pae.ts';
import { keyFor, type Role, type TrustRoot } from '../signing/trust-root.ts';
import type { CommandSigner } from './decide-input.ts';

const HUMAN_ROLES: readonly Role[] = ['operator', 'policy_author', 'policy_approver', 'approver', 'delegator'];

/** The people whose signatures on a command hold at that time. A pure function of the record and the trust root. */
export function commandSigners(root: TrustRoot, change: CommandChange, atMs: number): readonly CommandSigner[] {
  const signed = pae(COMMAND_TYPE, encodeRecord(change.command));
  return change.signatures.flatMap(({ key_id: keyId, sig }) => {
    const roles = new Set(HUMAN_ROLES.filter((role) => keyFor(root, { keyId, role, atMs }) !== undefined));
    const key = root.keys.get(keyId);
    if (key === undefined || roles.size === 0) return [];
    return verifyEd25519(key.keyObject, signed, Buffer.from(sig, 'base64')) ? [{ subject: key.subject, roles }] : [];
  });
}
