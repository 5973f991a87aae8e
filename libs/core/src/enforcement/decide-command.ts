// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import type { CommandChange } from '../change/change-body.ts';
import type { Role } from '../signing/trust-root.ts';
import { applyCommand } from './apply-command.ts';
import { isEmergency } from './approvals/approval-commands.ts';
import type { CommandSigner, DecideInput } from './decide-input.ts';
import { type Draft, refused } from './draft.ts';
import { COMMAND_VALID_MS_MAX, KEY_COUNT_MAX, TIME_SKEW_MS_MAX } from './limits.ts';

type Input = DecideInput<CommandChange>;

/** Who must have signed: each of the roles, or with `any` one of them; `twoPersons` asks for two different subjects. */
type Authority = { readonly roles: readonly Role[]; readonly twoPersons: boolean; readonly any?: true };

const AUTHORITY: Readonly<Record<string, Authority>> = {
  'tenant.opened': { roles: ['operator'], twoPersons: false },
  'source.registered': { roles: ['operator'], twoPersons: false },
  'policy.activated': { roles: ['policy_author', 'policy_approver'], twoPersons: true },
  'engine.activated': { roles: ['policy_author', 'policy_approver'], twoPersons: true },
  'kill_switch.engaged': { roles: ['operator'], twoPersons: false },
  'kill_switch.lifted': { roles: ['operator'], twoPersons: true },
  'change.resolved': { roles: ['operator'], twoPersons: false },
  'approval.granted': { roles: ['approver'], twoPersons: false },
  'approval.revoked': { roles: ['approver', 'operator'], twoPersons: false, any: true },
  'emergency.reviewed': { roles: ['approver', 'operator', 'policy_approver'], twoPersons: false, any: true },
  'key.delegated': { roles: ['delegator'], twoPersons: false },
};
const EMERGENCY: Authority = { roles: ['operator'], twoPersons: false };

function authorityFor({ kind, command }: CommandChange): Authority {
  return kind === 'approval.granted' && isEmergency(command) ? EMERGENCY : (AUTHORITY[kind] as Authority);
}

/** A command that people signed: right people, in time, once, and meant for the state it finds. */
export function decideCommand(input: Input): Draft {
  const { command } = input.change;
  const authority = authorityFor(input.change);
  const wrong = authorityProblem(input.signers, authority) ?? timeProblem(input) ?? repeatProblem(input);
  if (wrong !== undefined) return refused(wrong, 'commands');
  const draft = applyCommand(input);
  if (draft.part.kind !== 'decided' || draft.part.decision !== 'allow') return draft;
  const value: JsonObject = { expires_at: command['expires_at'] as number };
  return { ...draft, ops: [...draft.ops, { op: 'put', key: commandKey(command), value }] };
}

function commandKey(command: JsonObject): string {
  return `command/${digestOf(encodeRecord(command))}`;
}

function authorityProblem(signers: readonly CommandSigner[], authority: Authority): string | undefined {
  if (signers.length === 0) return 'CLY_COMMAND_SIGNATURE';
  const entitled = (role: Role): CommandSigner[] => signers.filter((signer) => signer.roles.has(role));
  const lacking = authority.roles.filter((role) => entitled(role).length === 0);
  if (lacking.length > (authority.any === true ? authority.roles.length - 1 : 0)) return 'CLY_COMMAND_ROLE';
  if (!authority.twoPersons) return undefined;
  const [first, second] = authority.roles;
  if (first === undefined) return undefined;
  const firsts = entitled(first);
  const seconds = second === undefined ? firsts : entitled(second);
  const two = firsts.some((one) => seconds.some((other) => other.subject !== one.subject));
  return two ? undefined : 'CLY_COMMAND_TWO_PERSONS';
}

/** Judged at the later of both times: a command that waited for the log neither lives longer nor comes too early. */
function timeProblem({ change, nowMs, appendTimeMs }: Input): string | undefined {
  const atMs = Math.max(nowMs, appendTimeMs);
  const { issued_at: issuedAt, expires_at: expiresAt } = change.command;
  if (!Number.isSafeInteger(issuedAt) || !Number.isSafeInteger(expiresAt)) return 'CLY_COMMAND_MALFORMED';
  if ((expiresAt as number) - (issuedAt as number) > COMMAND_VALID_MS_MAX) return 'CLY_COMMAND_VALIDITY';
  const early = (issuedAt as number) > atMs + TIME_SKEW_MS_MAX;
  return early || (expiresAt as number) <= atMs ? 'CLY_COMMAND_EXPIRED' : undefined;
}

function repeatProblem({ change, state }: Input): string | undefined {
  if (state.get(commandKey(change.command)) !== undefined) return 'CLY_COMMAND_REPEATED';
  return state.count('command') >= (KEY_COUNT_MAX['command'] ?? 0) ? 'CLY_STATE_FULL' : undefined;
}
