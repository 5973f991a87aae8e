// SPDX-License-Identifier: Apache-2.0
import { DIGEST } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { CommandChange } from '../change/change-body.ts';
import { ID, UUID } from '../change/shape.ts';
import { grantApproval, reviewEmergency, revokeApproval } from './approvals/approval-commands.ts';
import type { DecideInput } from './decide-input.ts';
import { accepted, type Draft, refused } from './draft.ts';
import { ENGINE_1, KEY_COUNT_MAX } from './limits.ts';
import { type OpenChange, openKey, settle } from './open-change.ts';
import { SWITCH_SCOPE } from './primitives/kill-switch.ts';
import { putMeta } from './tenant-meta.ts';
import { trippedBy } from './tripped.ts';

type Input = DecideInput<CommandChange>;

/** What a command does to the state, once it is known to be authorised. */
export function applyCommand(input: Input): Draft {
  switch (input.change.kind) {
    case 'tenant.opened':
      return refused('CLY_TENANT_EXISTS', 'commands');
    case 'source.registered':
      return registerSource(input);
    case 'policy.activated':
      return activatePolicy(input);
    case 'engine.activated':
      return activateEngine(input);
    case 'kill_switch.engaged':
    case 'kill_switch.lifted':
      return turnSwitch(input);
    case 'change.resolved':
      return resolveChange(input);
    case 'approval.granted':
      return grantApproval(input);
    case 'approval.revoked':
      return revokeApproval(input);
    case 'emergency.reviewed':
      return reviewEmergency(input);
    case 'key.delegated':
      return delegateKey(input);
  }
}

function text(command: JsonObject, name: string, pattern: RegExp): string | undefined {
  const value = command[name];
  return typeof value === 'string' && pattern.test(value) ? value : undefined;
}

const MALFORMED = refused('CLY_COMMAND_MALFORMED', 'commands');

function registerSource({ change, state }: Input): Draft {
  const sourceId = text(change.command, 'source_id', ID);
  const database = text(change.command, 'database', DIGEST);
  const systemId = text(change.command, 'system_id', ID);
  if (sourceId === undefined || database === undefined || systemId === undefined) return MALFORMED;
  const key = `source/${sourceId}`;
  if (state.get(key) !== undefined) return refused('CLY_SOURCE_EXISTS', 'commands');
  if (state.count('source') >= (KEY_COUNT_MAX['source'] ?? 0)) return refused('CLY_STATE_FULL', 'state', 'source');
  return accepted([{ op: 'put', key, value: { database, system_id: systemId } }]);
}

function activatePolicy({ change, meta, isPolicy }: Input): Draft {
  const policy = text(change.command, 'policy', DIGEST);
  if (policy === undefined) return MALFORMED;
  if ((change.command['replaces'] ?? null) !== meta.policy) return refused('CLY_COMMAND_REPLACES', 'commands');
  if (!isPolicy(policy)) return refused('CLY_POLICY_INVALID', 'commands');
  return accepted([putMeta({ ...meta, policy })]);
}

function activateEngine({ change, meta }: Input): Draft {
  const engine = change.command['engine'];
  if (!Number.isSafeInteger(engine)) return MALFORMED;
  if (engine !== ENGINE_1) return refused('CLY_ENGINE_UNSUPPORTED', 'commands');
  return accepted([putMeta({ ...meta, engine })]);
}

function turnSwitch({ change, state, nowMs }: Input): Draft {
  const scope = text(change.command, 'scope', SWITCH_SCOPE);
  if (scope === undefined) return MALFORMED;
  const key = `switch/${scope}`;
  const engaged = state.get(key) !== undefined;
  if (change.kind === 'kill_switch.lifted') {
    return engaged ? accepted([{ op: 'delete', key }]) : refused('CLY_KILL_SWITCH_NOT_ENGAGED', 'commands', scope);
  }
  if (engaged) return refused('CLY_KILL_SWITCH_ENGAGED', 'commands', scope);
  if (state.count('switch') >= (KEY_COUNT_MAX['switch'] ?? 0)) return refused('CLY_STATE_FULL', 'state', 'switch');
  return accepted([{ op: 'put', key, value: { engaged_at: nowMs } }]);
}

function resolveChange({ change, state, nowMs }: Input): Draft {
  const of = text(change.command, 'of', UUID);
  const resolution = text(change.command, 'resolution', /^(?:done|not_done)$/);
  if (of === undefined || resolution === undefined) return MALFORMED;
  const key = openKey(of);
  const open = state.get(key) as unknown as OpenChange | undefined;
  if (open === undefined || open.state !== 'unknown') return refused('CLY_CHANGE_NOT_UNKNOWN', 'commands', of);
  const settlement = resolution === 'done' ? 'done' : 'returned';
  const ops = settle(state, open, { settlement, nowMs });
  const draft = accepted([...ops, { op: 'delete', key }]);
  return { ...draft, part: { ...draft.part, tripped: trippedBy(ops) } as Draft['part'] };
}

/** What is over is forgotten first, so that processes which renew never fill the state. */
function delegateKey({ delegation, state, nowMs }: Input): Draft {
  if (delegation === undefined) return MALFORMED;
  const { key_id: keyId, valid_to: validTo } = delegation;
  const over = [...state.entries('delegation')].filter(([, lent]) => (lent['valid_to'] as number) < nowMs);
  if (state.count('delegation') - over.length >= (KEY_COUNT_MAX['delegation'] ?? 0)) {
    return refused('CLY_STATE_FULL', 'state', 'delegation');
  }
  return accepted([
    ...over.map(([key]) => ({ op: 'delete', key }) as const),
    { op: 'put', key: `delegation/${keyId}/${validTo}`, value: delegation as unknown as JsonObject },
  ]);
}
