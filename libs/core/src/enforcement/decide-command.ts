// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import type { CommandChange } from '../change/change-body.ts';
import type { Role } from '../signing/trust-root.ts';
import { applyCommand } from './apply-command.ts';
import type { CommandSigner, DecideInput } from './decide-input.ts';
import { type Draft, refused } from './draft.ts';
import { COMMAND_VALID_MS_MAX, KEY_COUNT_MAX, TIME_SKEW_MS_MAX } from './limits.ts';

type Input = DecideInput<CommandChange>;

/** Who must have signed which command; `twoPersons` asks for two different subjects among them. */
const AUTHORITY: Readonly<Record<string, { roles: readonly Role[]; twoPersons: boolean }>> = {
  'tenant.opened': { roles: ['operator'], twoPersons: false },
  'source.registered': { roles: ['operator'], twoPersons: false },
  'policy.activated': { roles: ['policy_author', 'policy_approver'], twoPersons: true },
  'engine.activated': { roles: ['policy_author', 'policy_approver'], twoPersons: true },
  'kill_switch.engaged': { roles: ['operator'], twoPersons: false },
  'kill_switch.lifted': { roles: ['operator'], twoPersons: true },
  'change.resolved': { roles: ['operator'], twoPersons: false },
};

/** A command that people signed: right people, in time, once, and meant for the state it finds. */
export function decideCommand(input: Input): Draft {
  const { command, kind } = input.change;
  const authority = AUTHORITY[kind] as { roles: readonly Role[]; twoPersons: boolean };
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

function authorityProblem(
  signers: readonly CommandSigner[],
  authority: { roles: readonly Role[]; twoPersons: boolean },
): string | undefined {
  if (signers.length === 0) return 'CLY_COMMAND_SIGNATURE';
  const entitled = (role: Role): CommandSigner[] => signers.filter((signer) => signer.roles.has(role));
  if (authority.roles.some((role) => entitled(role).length === 0)) return 'CLY_COMMAND_ROLE';
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
