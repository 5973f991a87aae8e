// SPDX-License-Identifier: Apache-2.0

import type { DecidedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject } from '../json/json-value.ts';
import { closed, id, list, ShapeError, text } from '../json/shape.ts';
import { decodeBase64 } from '../signature/base64.ts';
import { refuseKey } from '../signature/block-verifier.ts';
import { verifyEd25519 } from '../signature/ed25519.ts';
import { encodePae } from '../signature/pae.ts';
import type { Role, TrustedKey, TrustRoot } from '../trust/trust-root.ts';
import { commandOf } from './bindings.ts';
import type { Report } from './chain-check.ts';

const COMMAND_TYPE = 'application/vnd.clyra.command.v0+json';
const SIGNATURES_MAX = 16;
/** The roles whose keys must sign a command; two of them means two subjects (records.md §4.2). */
const ROLES: ReadonlyMap<string, readonly Role[]> = new Map<string, readonly Role[]>([
  ['tenant.opened', ['operator']],
  ['source.registered', ['operator']],
  ['policy.activated', ['policy_author', 'policy_approver']],
  ['engine.activated', ['policy_author', 'policy_approver']],
  ['kill_switch.engaged', ['operator']],
  ['kill_switch.lifted', ['operator', 'operator']],
  ['change.resolved', ['operator']],
]);
const readSignatures = list(closed({ key_id: id, sig: text }), SIGNATURES_MAX);

/** Judges who signed the commands that took effect. They are few, so both modes do. */
export class CommandCheck {
  readonly #trustRoot: TrustRoot | null;
  readonly #namedTrustRoot: string;
  readonly #report: Report;

  constructor(trustRoot: TrustRoot | null, namedTrustRoot: string, report: Report) {
    this.#trustRoot = trustRoot;
    this.#namedTrustRoot = namedTrustRoot;
    this.#report = report;
  }

  decided(line: DecidedLine): void {
    const command = commandOf(line);
    const root = this.#trustRoot;
    if (root === null || command === undefined || line.decision?.decision !== 'allow') {
      return;
    }
    const problem = judgeCommand(line, command, root);
    if (problem !== null) {
      this.#report({
        claim: 'authorship',
        code: problem.code,
        at: { line: line.line, member: 'change.body.signatures' },
        message: problem.message,
      });
    }
    if (command.kind === 'tenant.opened' && command.trust_root !== this.#namedTrustRoot) {
      const at = { line: line.line, member: 'change.body.command.trust_root' };
      this.#report({
        claim: 'authorship',
        code: 'CLY_TRUST_ROOT_OTHER',
        at,
        message: 'is not the trust root that the manifest names',
      });
    }
  }
}

function judgeCommand(line: DecidedLine, command: JsonObject, root: TrustRoot): Problem | null {
  const roles = ROLES.get(line.change.read.kind);
  if (roles === undefined) {
    return { code: 'CLY_COMMAND_KIND', message: `${line.change.read.kind} is no command of this version` };
  }
  const signers = verifySigners(line, command, root);
  if (!Array.isArray(signers)) {
    return signers;
  }
  if (signers[0]?.subject !== command.subject) {
    return { code: 'CLY_COMMAND_SIGNER', message: 'the first signer is not the subject of the command' };
  }
  const [first, second] = roles;
  const isMet = signers.some(
    (one) =>
      mayAct(one, first, line.appendTimeMs) &&
      (second === undefined ||
        signers.some(
          (other) => mayAct(other, second, line.appendTimeMs) && (other.subject !== one.subject || root.singleOperator),
        )),
  );
  return isMet ? null : { code: 'CLY_COMMAND_ROLE', message: `needs signatures of ${roles.join(' and ')}` };
}

interface Problem {
  readonly code: string;
  readonly message: string;
}

/** The keys that signed, or what is wrong: one signature that does not hold spoils the command. */
function verifySigners(line: DecidedLine, command: JsonObject, root: TrustRoot): TrustedKey[] | Problem {
  let signatures: ReturnType<typeof readSignatures>;
  try {
    signatures = readSignatures(line.change.value.signatures, 'signatures');
  } catch (error) {
    if (error instanceof ShapeError) {
      return { code: 'CLY_COMMAND_SIGNER', message: `${error.member} ${error.message}` };
    }
    throw error;
  }
  const message = encodePae(COMMAND_TYPE, Buffer.from(encodeCanonical(command)));
  const signers: TrustedKey[] = [];
  for (const { key_id: keyId, sig } of signatures) {
    const key = root.keys.get(keyId);
    const signature = decodeBase64(sig);
    if (!key?.ed25519 || signature === null || !verifyEd25519(key.ed25519.key, message, signature)) {
      return { code: 'CLY_COMMAND_SIGNER', message: `the signature by key ${keyId} does not hold` };
    }
    signers.push(key);
  }
  return signers;
}

function mayAct(key: TrustedKey, role: Role | undefined, timeMs: number): boolean {
  return role !== undefined && refuseKey(key, role, timeMs) === null;
}
