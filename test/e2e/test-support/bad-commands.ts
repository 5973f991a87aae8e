// SPDX-License-Identifier: Apache-2.0
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { commandOf, signCommand } from '@clyra/cli/intake/sign-command';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { CommandKind } from '@clyra/core/change/change-body';
import type { Row, RowContext } from './bad-input-row.ts';
import { rawRequest } from './raw-request.ts';

type Order = {
  readonly kind: CommandKind;
  readonly tenant?: string;
  readonly members: JsonObject;
  readonly people: readonly string[];
  /** In place of now. */
  readonly ageMs?: number;
  /** Changed after it was signed. */
  readonly forged?: JsonObject;
  readonly documents?: readonly JsonObject[];
};

type Given = readonly [name: string, status: number, code: string, receipt: boolean, order: Order];

const ZEROS = '0'.repeat(64);
const NOBODYS_EVENT = '01a208a0-c3a7-7001-8c14-f19a4b2081e2';
const HOUR_MS = 3_600_000;
const engage = { kind: 'kill_switch.engaged', members: { scope: 'route:nothing.here', reason: 'a test' } } as const;
const activate = { kind: 'policy.activated', people: ['policy-author', 'policy-approver'] } as const;
const register = { source_id: 'crm', database: ZEROS, system_id: '1' };

const ORDERS: readonly Given[] = [
  ['a command that was changed', 403, 'CLY_COMMAND_SIGNATURE', false, forged({ reason: 'another' })],
  ['a command signed by a service', 403, 'CLY_COMMAND_SIGNATURE', false, { ...engage, people: ['intake'] }],
  ['a command by the wrong person', 403, 'CLY_COMMAND_ROLE', true, { ...engage, people: ['policy-author'] }],
  ['a command of an hour ago', 409, 'CLY_COMMAND_EXPIRED', true, { ...engage, people: ['operator'], ageMs: HOUR_MS }],
  ['a command for later', 409, 'CLY_COMMAND_EXPIRED', true, { ...engage, people: ['operator'], ageMs: -HOUR_MS }],
  [
    'a switch lifted by one person',
    403,
    'CLY_COMMAND_TWO_PERSONS',
    true,
    { kind: 'kill_switch.lifted', members: engage.members, people: ['operator'] },
  ],
  [
    'a switch lifted by one person, twice',
    403,
    'CLY_COMMAND_TWO_PERSONS',
    true,
    { kind: 'kill_switch.lifted', members: engage.members, people: ['operator', 'operator'] },
  ],
  [
    'a scope that is none',
    400,
    'CLY_COMMAND_MALFORMED',
    true,
    { kind: 'kill_switch.engaged', members: { scope: 'everything', reason: 'a test' }, people: ['operator'] },
  ],
  [
    'a change resolved that is not unknown',
    409,
    'CLY_CHANGE_NOT_UNKNOWN',
    true,
    { kind: 'change.resolved', members: { of: NOBODYS_EVENT, resolution: 'done' }, people: ['operator'] },
  ],
  [
    'a source without a system',
    400,
    'CLY_COMMAND_MALFORMED',
    true,
    { kind: 'source.registered', members: { ...register, system_id: '' }, people: ['operator'] },
  ],
  [
    'a command for a tenant that is not open',
    403,
    'CLY_TENANT_UNKNOWN',
    false,
    { ...engage, tenant: 'ghost', people: ['operator'] },
  ],
  ['a policy that nobody stored', 422, 'CLY_DOCUMENT_MISSING', false, { ...activate, members: { policy: ZEROS } }],
  [
    'a policy that is none',
    422,
    'CLY_POLICY_INVALID',
    false,
    { ...activate, members: { policy: ZEROS }, documents: [document('policy', '{}')] },
  ],
  [
    'a document under a wrong name',
    422,
    'CLY_DOCUMENT_DIGEST',
    false,
    { ...activate, members: { policy: ZEROS }, documents: [document(`policies/${ZEROS}`, '{}')] },
  ],
];

const TEXTS: readonly (readonly [name: string, status: number, code: string, body: string])[] = [
  ['a command that is no JSON', 400, 'CLY_JSON_SYNTAX', 'engage!'],
  ['a command of no kind', 400, 'CLY_RECORD_SHAPE', '{"command":{"kind":"obey"},"signatures":[]}'],
  ['a command without signatures', 400, 'CLY_RECORD_SHAPE', '{"command":{"kind":"kill_switch.engaged"}}'],
  ['a command with a member twice', 400, 'CLY_JSON_DUPLICATE_NAME', '{"command":{},"command":{},"signatures":[]}'],
];

/** What people may not order, and what is no order at all. */
export const COMMAND_ROWS: readonly Row[] = [
  ...ORDERS.map(
    ([name, status, code, receipt, order]): Row => ({
      name,
      listener: 'api',
      status,
      code,
      receipt,
      bytes: async (context) => [await orderBytes(order, context)],
    }),
  ),
  ...TEXTS.map(
    ([name, status, code, body]): Row => ({
      name,
      listener: 'api',
      status,
      code,
      receipt: false,
      bytes: (context) => [rawRequest({ target: '/v1/commands', body, isSigned: false }, context)],
    }),
  ),
];

async function orderBytes(order: Order, context: RowContext): Promise<Uint8Array> {
  const command = commandOf({
    kind: order.kind,
    tenant: order.tenant ?? context.tenant,
    nowMs: context.nowMs - (order.ageMs ?? 0),
    subject: `local:${order.people[0]}`,
    replaces: null,
    members: order.members,
  });
  const signers = await Promise.all(order.people.map((person) => fileSigner(context.keyFile(person))));
  const signatures = await signCommand(command, signers);
  const body = JSON.stringify({
    command: { ...command, ...order.forged },
    signatures,
    documents: order.documents ?? [],
  });
  return rawRequest({ target: '/v1/commands', body, isSigned: false }, context);
}

function forged(members: JsonObject): Order {
  return { ...engage, people: ['operator'], forged: members };
}

function document(name: string, text: string): JsonObject {
  return { name, content: Buffer.from(text).toString('base64') };
}
