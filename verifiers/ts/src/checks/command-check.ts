// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import { type JsonObject, type JsonValue, Members } from '../json/json-value.ts';
import { ShapeError } from '../json/shape.ts';
import { decodeBase64 } from '../signature/base64.ts';
import { verifyEd25519 } from '../signature/ed25519.ts';
import { encodePae } from '../signature/pae.ts';
import { type Delegation, type KeyBook, readCommandSignatures } from '../trust/delegations.ts';
import { refuseKey } from '../trust/judge-key.ts';
import type { Role, TrustedKey, TrustRoot } from '../trust/trust-root.ts';
import { commandOf } from './bindings.ts';
import type { Report } from './report.ts';

const COMMAND_TYPE = 'application/vnd.clyra.command.v0+json';
/** For each signer that a command needs, the roles that will do; two signers means two subjects (records.md §4.2). */
const SIGNERS: ReadonlyMap<string, readonly (readonly Role[])[]> = new Map<string, readonly (readonly Role[])[]>([
  ['tenant.opened', [['operator']]],
  ['source.registered', [['operator']]],
  ['policy.activated', [['policy_author'], ['policy_approver']]],
  ['engine.activated', [['policy_author'], ['policy_approver']]],
  ['kill_switch.engaged', [['operator']]],
  ['kill_switch.lifted', [['operator'], ['operator']]],
  ['change.resolved', [['operator']]],
  ['approval.granted', [['approver']]],
  ['approval.revoked', [['approver', 'operator']]],
  ['emergency.reviewed', [['approver', 'operator', 'policy_approver']]],
  ['trust_root.activated', [['operator'], ['operator']]],
  ['key.delegated', [['delegator']]],
]);

/** Breaking the glass is an operator's, where every other approval is an approver's. */
function signersNeeded(kind: string, command: JsonObject): readonly (readonly Role[])[] | undefined {
  return kind === 'approval.granted' && command.emergency === true ? [['operator']] : SIGNERS.get(kind);
}

/** The trust root of the log before a line: null before there is one, `unknown` where no ledger is folded, as in an export. */
type InForce = string | null;

interface Made {
  readonly kind: string;
  readonly command: JsonObject;
  readonly signatures: JsonValue | undefined;
  readonly timeMs: number;
  readonly inForce: InForce;
}

type Verdict = { readonly code: string; readonly member: string; readonly message: string };

/** Judges who signed the commands that were allowed (verification.md §3.1). */
export class CommandCheck {
  readonly #keys: KeyBook | null;
  readonly #report: Report;

  /** Without a trust root there are no keys, and nothing is judged. */
  constructor(keys: KeyBook | null, report: Report) {
    this.#keys = keys;
    this.#report = report;
  }

  decided(line: DecidedLine, inForce: InForce): void {
    const { kind } = line.change.read;
    const command = commandOf(line);
    const isCommand = line.change.value.command !== undefined || SIGNERS.has(kind);
    if (this.#keys === null || !isCommand || line.decision?.decision !== 'allow') {
      return;
    }
    const { signatures } = line.change.value;
    const made = { kind, command: command ?? new Members(), signatures, timeMs: line.appendTimeMs, inForce };
    for (const { code, member, message } of this.#judge(made, this.#keys)) {
      this.#report({ claim: 'authorship', code, at: { line: line.line, member: `change.body.${member}` }, message });
    }
  }

  /** One that a ledger carries is judged as if its line stood here. */
  delegation({ append_time: timeMs, command, signatures }: Delegation): void {
    if (this.#keys !== null) {
      const verdicts = this.#judge(
        { kind: 'key.delegated', command, signatures, timeMs, inForce: 'unknown' },
        this.#keys,
      );
      for (const { code, member, message } of verdicts) {
        this.#report({ claim: 'authorship', code, at: { line: 0, member }, message: `of a delegation: ${message}` });
      }
    }
  }

  *#judge(made: Made, keys: KeyBook): Generator<Verdict> {
    const needed = signersNeeded(made.kind, made.command);
    if (needed === undefined) {
      yield { code: 'CLY_COMMAND_KIND', member: 'kind', message: 'is no command of this version' };
      return;
    }
    const signers = signersOf(made.command, made.signatures, keys.trustRoot);
    if (signers === null || signers[0]?.subject !== made.command.subject) {
      const message = 'are not the signatures of known keys over the command, or the first is not its subject';
      yield { code: 'CLY_COMMAND_SIGNER', member: 'signatures', message };
    } else if (!areEnough(signers, needed, { timeMs: made.timeMs, keys })) {
      const message = `are not of the roles that ${made.kind} needs`;
      yield { code: 'CLY_COMMAND_ROLE', member: 'signatures', message };
    }
    if (!isKnownTrustRoot(made, keys.trustRoot)) {
      const message = 'is neither the trust root that was passed nor one before it';
      yield { code: 'CLY_TRUST_ROOT_OTHER', member: 'command.trust_root', message };
    }
  }
}

function signersOf(
  command: JsonObject,
  signatures: JsonValue | undefined,
  trustRoot: TrustRoot,
): readonly TrustedKey[] | null {
  const payload = encodePae(COMMAND_TYPE, Buffer.from(encodeCanonical(command)));
  const signers: TrustedKey[] = [];
  for (const { key_id: keyId, sig } of readSignatures(signatures)) {
    const key = trustRoot.keys.get(keyId);
    const signature = decodeBase64(sig);
    if (key?.ed25519 == null || signature === null || !verifyEd25519(key.ed25519, payload, signature)) {
      return null;
    }
    signers.push(key);
  }
  return signers.length === 0 ? null : signers;
}

function readSignatures(signatures: JsonValue | undefined): ReturnType<typeof readCommandSignatures> {
  try {
    return readCommandSignatures(signatures, 'signatures');
  } catch (error) {
    if (error instanceof ShapeError) {
      return [];
    }
    throw error;
  }
}

function areEnough(
  signers: readonly TrustedKey[],
  needed: readonly (readonly Role[])[],
  at: { readonly timeMs: number; readonly keys: KeyBook },
): boolean {
  const moment = { timeMs: at.timeMs, trustedMs: at.keys.trustedMs };
  const fitting = needed.map((roles) => signers.filter((key) => refuseKey(key, roles, moment) === null));
  const [first = [], second] = fitting;
  if (second === undefined) {
    return first.length > 0;
  }
  const isOneEnough = at.keys.trustRoot.singleOperator;
  return first.some((one) => second.some((other) => isOneEnough || other.subject !== one.subject));
}

/** What an allowed opening or activation names must be a version of the trust root that was passed (trust.md §3). */
function isKnownTrustRoot({ kind, command, inForce }: Made, trustRoot: TrustRoot): boolean {
  const { trust_root: named, replaces } = command;
  if (kind === 'tenant.opened') {
    return isVersionOf(trustRoot, named);
  }
  if (kind !== 'trust_root.activated') {
    return true;
  }
  const versions: readonly (JsonValue | undefined)[] = [...trustRoot.history, trustRoot.digest];
  const before = versions.indexOf(replaces);
  const isInForce = inForce === 'unknown' || inForce === replaces;
  return before >= 0 && versions[before + 1] === named && named !== undefined && isInForce;
}

/** Whether a digest is that of the trust root or of a version before it. */
export function isVersionOf(trustRoot: TrustRoot, digest: JsonValue | undefined): boolean {
  return digest === trustRoot.digest || (typeof digest === 'string' && trustRoot.history.includes(digest));
}
