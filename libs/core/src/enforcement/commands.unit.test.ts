// SPDX-License-Identifier: Apache-2.0

import {
  codesOf,
  FoldScript,
  POLICY_DIGEST,
  SCRIPT_KEYS,
  SCRIPT_TRUST,
  START_MS,
  STREAM,
  strangerKey,
} from '@clyra/testing/fold-script';
import type { TestKey } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import type { ChangeBody } from '../change/change-body.ts';
import type { Envelopes } from '../ports/envelope-codec.ts';
import type { Role } from '../signing/trust-root.ts';
import { artifactNeeds } from './artifacts.ts';
import { decideCommand } from './decide-command.ts';
import type { CommandSigner } from './decide-input.ts';
import { StateTable } from './state-table.ts';

const { operator, second, author, approver } = SCRIPT_KEYS;
const policy = { policy: POLICY_DIGEST, replaces: POLICY_DIGEST };

describe('a command', () => {
  type Row = readonly [
    name: string,
    row: { kind: string; members: Record<string, string | number>; by: TestKey[]; code: string | undefined },
  ];
  const table: readonly Row[] = [
    [
      'policy by author and approver',
      { kind: 'policy.activated', members: policy, by: [author, approver], code: undefined },
    ],
    [
      'policy by its author alone',
      { kind: 'policy.activated', members: policy, by: [author], code: 'CLY_COMMAND_ROLE' },
    ],
    ['policy by an operator', { kind: 'policy.activated', members: policy, by: [operator], code: 'CLY_COMMAND_ROLE' }],
    [
      'policy that replaces another',
      {
        kind: 'policy.activated',
        members: { ...policy, replaces: digestOf('x') },
        by: [author, approver],
        code: 'CLY_COMMAND_REPLACES',
      },
    ],
    [
      'policy whose bytes are no policy',
      {
        kind: 'policy.activated',
        members: { ...policy, policy: digestOf('junk') },
        by: [author, approver],
        code: 'CLY_POLICY_INVALID',
      },
    ],
    [
      'signed by a stranger',
      { kind: 'policy.activated', members: policy, by: [strangerKey()], code: 'CLY_COMMAND_SIGNATURE' },
    ],
    [
      'an engine nobody has',
      { kind: 'engine.activated', members: { engine: 2 }, by: [author, approver], code: 'CLY_ENGINE_UNSUPPORTED' },
    ],
    [
      'a switch of no known scope',
      {
        kind: 'kill_switch.engaged',
        members: { scope: 'planet', reason: '' },
        by: [operator],
        code: 'CLY_COMMAND_MALFORMED',
      },
    ],
    [
      'lifting what is not engaged',
      {
        kind: 'kill_switch.lifted',
        members: { scope: 'tenant', reason: '' },
        by: [operator, second],
        code: 'CLY_KILL_SWITCH_NOT_ENGAGED',
      },
    ],
    [
      'resolving what is not unknown',
      {
        kind: 'change.resolved',
        members: { of: '00000000-0000-7000-8000-000000000000', resolution: 'done' },
        by: [operator],
        code: 'CLY_CHANGE_NOT_UNKNOWN',
      },
    ],
    [
      'a second tenant.opened',
      { kind: 'tenant.opened', members: { partition: 0, engine: 1 }, by: [operator], code: 'CLY_TENANT_EXISTS' },
    ],
    [
      'a source',
      {
        kind: 'source.registered',
        members: { source_id: 'crm', database: digestOf('d'), system_id: '7' },
        by: [operator],
        code: undefined,
      },
    ],
  ];

  it.each(table)('%s', async (_name, row) => {
    const script = await new FoldScript().opened();
    const step = await script.command(row.kind, row.members, row.by);
    expect(step.receipt['decision']).toBe(row.code === undefined ? 'allow' : 'block');
    expect(codesOf(step)).toEqual(row.code === undefined ? [] : [row.code]);
  });

  it('works once, and only in its time', async () => {
    const script = await new FoldScript().opened();
    const command = {
      kind: 'kill_switch.engaged',
      tenant: 'acme',
      subject: 'olga',
      replaces: null,
      scope: 'tenant',
      reason: 'drill',
    };
    const timed = { ...command, issued_at: script.nowMs, expires_at: script.nowMs + 10_000 };
    await script.signedCommand('kill_switch.engaged', timed, [operator]);
    expect(codesOf(await script.signedCommand('kill_switch.engaged', timed, [operator]))).toEqual([
      'CLY_COMMAND_REPEATED',
    ]);
    script.nowMs += 10_000;
    expect(codesOf(await script.signedCommand('kill_switch.engaged', timed, [operator]))).toEqual([
      'CLY_COMMAND_EXPIRED',
    ]);
  });

  it('needs two persons, not two keys of one', () => {
    const one = (...roles: Role[]): CommandSigner => ({ subject: 'alice', roles: new Set(roles) });
    for (const [kind, ...signers] of [
      ['policy.activated', one('policy_author'), one('policy_approver')],
      ['kill_switch.lifted', one('operator'), one('operator')],
    ] as const) {
      const draft = decideCommand({ change: { kind, command: {} }, signers } as unknown as Parameters<
        typeof decideCommand
      >[0]);
      expect(draft.part).toMatchObject({ decision: 'block', reasons: [{ code: 'CLY_COMMAND_TWO_PERSONS' }] });
    }
  });

  it('does not count before it was issued, nor twice for one source, nor for a change that is under way', async () => {
    const script = await new FoldScript().opened();
    const engage = { scope: 'tenant', reason: 'drill' };
    const early = { ...engage, issued_at: script.nowMs + 2_001, expires_at: script.nowMs + 60_000 };
    expect(codesOf(await script.command('kill_switch.engaged', early, [operator]))).toEqual(['CLY_COMMAND_EXPIRED']);
    const source = { source_id: 'crm', database: digestOf('db'), system_id: '7' };
    expect((await script.command('source.registered', source, [operator])).receipt['decision']).toBe('allow');
    script.nowMs += 1;
    expect(codesOf(await script.command('source.registered', source, [operator]))).toEqual(['CLY_SOURCE_EXISTS']);
    const of = (await script.request()).receipt['event_id'] as string;
    const resolved = await script.command('change.resolved', { of, resolution: 'not_done' }, [operator]);
    expect(codesOf(resolved)).toEqual(['CLY_CHANGE_NOT_UNKNOWN']);
  });

  it('counts though it waited for the log, but not after its time', async () => {
    const script = await new FoldScript().opened();
    const engage = { scope: 'tenant', reason: 'drill' };
    const late = await script.commandBody('kill_switch.engaged', engage, [operator]);
    script.nowMs += 60_000;
    expect((await script.append(late)).receipt).toMatchObject({ decision: 'allow', decided_at: script.nowMs - 60_000 });
    const tooLate = await script.commandBody('source.registered', {}, [operator]);
    script.nowMs += 600_000;
    expect(codesOf(await script.append(tooLate))).toEqual(['CLY_COMMAND_EXPIRED']);
  });

  it('resolves an unknown change: what was spent is settled or returned', async () => {
    for (const [resolution, code] of [
      ['done', 'CLY_IDEMPOTENCY_REPEAT'],
      ['not_done', undefined],
    ] as const) {
      const script = await new FoldScript().opened();
      const key = { idempotency: { key_digest: digestOf('k'), fingerprint: digestOf('f') } };
      const first = await script.request(key);
      await script.append({
        ...script.body('clock.ticked', { number: 1 }),
        intake: { instance: 'intake-1', epoch: 2 },
      });
      const of = first.receipt['event_id'] as string;
      const resolved = await script.append({
        ...(await signed(script, { of, resolution })),
        intake: { instance: 'intake-1', epoch: 2 },
      });
      expect(resolved.receipt['decision']).toBe('allow');
      const facts = script.facts(key);
      const again = await script.append({
        ...script.body('change.requested', { facts }),
        intake: { instance: 'intake-1', epoch: 2 },
      });
      expect(codesOf(again)).toEqual(code === undefined ? [] : [code]);
    }
  });
});

async function signed(script: FoldScript, members: Record<string, string>): Promise<ReturnType<FoldScript['body']>> {
  const { COMMAND_TYPE, pae } = await import('../signing/pae.ts');
  const command = {
    kind: 'change.resolved',
    tenant: 'acme',
    subject: 'olga',
    replaces: null,
    issued_at: script.nowMs,
    expires_at: script.nowMs + 1_000,
    ...members,
  };
  const sig = Buffer.from(await operator.sign(pae(COMMAND_TYPE, encodeRecord(command)))).toString('base64');
  return script.body('change.resolved', { command, signatures: [{ key_id: operator.keyId, sig }] });
}

describe('opening a tenant', () => {
  const opening = { partition: 0, engine: 1, trust_root: SCRIPT_TRUST.root.digest, policy: POLICY_DIGEST };
  const table: readonly [name: string, members: JsonObject, by: TestKey[], code: string][] = [
    ['in another partition', { partition: 1 }, [operator], 'CLY_TENANT_PARTITION'],
    ['by nobody who may', {}, [author], 'CLY_COMMAND_ROLE'],
    ['after its time', { expires_at: START_MS }, [operator], 'CLY_COMMAND_EXPIRED'],
    ['before it was issued', { issued_at: START_MS + 2_001 }, [operator], 'CLY_COMMAND_EXPIRED'],
    ['with an engine nobody has', { engine: 2 }, [operator], 'CLY_ENGINE_UNSUPPORTED'],
    ['under a trust root nobody has', { trust_root: digestOf('x') }, [operator], 'CLY_COMMAND_MALFORMED'],
    ['with a policy that is none', { policy: digestOf('x') }, [operator], 'CLY_POLICY_INVALID'],
  ];

  it.each(table)('%s is refused in the partition log', async (_name, members, by, code) => {
    const script = new FoldScript();
    const stream = { stream_id: STREAM, partition: 0, partition_count: 1, previous_stream: null };
    await script.append(script.body('stream.opened', { ...stream, tenant: '_partition' }));
    const step = await script.command('tenant.opened', { ...opening, ...members }, by);
    expect(step.receipt).toMatchObject({ tenant: '_partition', decision: 'block', reasons: [{ code }] });
    expect((await script.command('tenant.opened', opening, [operator])).receipt['decision']).toBe('allow');
  });

  it('counts only what intake signed, and the bytes that people signed', async () => {
    const script = await new FoldScript().opened();
    const forged = await script.append(
      {
        ...(await script.commandBody('tenant.opened', { ...opening, tenant: 'globex' }, [operator])),
        tenant: 'globex',
      },
      strangerKey(),
    );
    expect(codesOf(forged)).toEqual(['CLY_CHANGE_SIGNATURE']);
    const engage = { scope: 'route:contacts.sync', reason: 'drill' };
    const body = await script.commandBody('kill_switch.engaged', engage, [operator]);
    const altered = { ...body, command: { ...(body['command'] as JsonObject), scope: 'tenant' } };
    expect(codesOf(await script.append(altered))).toEqual(['CLY_COMMAND_SIGNATURE']);
    expect((await script.append(body)).receipt['decision']).toBe('allow');
  });
});

describe('cuts, runs and poison', () => {
  it('puts the digest of the state after it into a cut, and the artifact leads back to it', async () => {
    const script = await new FoldScript().opened();
    await script.request();
    const cut = await script.append(script.body('window.closed', { number: 1 }));
    const table = script.fold.tenant('acme')?.table as StateTable;
    expect(cut.receipt['state_digest']).toBe(StateTable.parse(table.serialize()).digest());
  });

  it('numbers a run from its opening to its close, and refuses it afterwards', async () => {
    const script = await new FoldScript().opened();
    const run = { run_id: 'run-1', actor: 'sync-bot', principal: 'key-1' };
    const opened = await script.append(script.body('run.opened', run));
    const inside = await script.request({}, { run_id: 'run-1' });
    const closed = await script.append(script.body('run.closed', run));
    expect([opened, inside, closed].map((step) => step.receipt['seq'])).toEqual([0, 1, 2]);
    expect(closed.receipt['count']).toBe(2);
    expect(codesOf(await script.request({}, { run_id: 'run-1' }))).toEqual(['CLY_RUN_UNKNOWN']);
  });

  it('lets only the next window number count', async () => {
    const script = await new FoldScript().opened();
    expect(codesOf(await script.append(script.body('window.closed', { number: 2 })))).toEqual(['CLY_WINDOW_NUMBER']);
  });

  it('answers poison in the partition log and goes on', async () => {
    const script = await new FoldScript().opened();
    const poisoned = script.appendEnvelope({
      body: Buffer.from('{"a":1,"a":2}'),
      signature: new Uint8Array(),
      tenant: 'acme',
      kind: 'x',
      event_id: 'y',
    });
    expect(poisoned.receipt).toMatchObject({
      kind: 'poisoned',
      tenant: '_partition',
      reason: 'CLY_JSON_DUPLICATE_NAME',
    });
    expect((await script.request()).receipt).toMatchObject({ decision: 'allow', previous_offset: 2 });
  });

  it.each(['constructor', 'toString', 'valueOf', '__proto__', 'hasOwnProperty'])(
    'takes %s for an unknown kind like any other',
    async (kind) => {
      const script = await new FoldScript().opened();
      const step = await script.append(script.body(kind, {}));
      expect(step.receipt).toMatchObject({ kind: 'poisoned', reason: 'CLY_RECORD_SHAPE' });
    },
  );

  it('waits for no document under a name that is no digest', async () => {
    const script = await new FoldScript().opened();
    const members = { policy: '../policies/x', trust_root: 'y', replaces: POLICY_DIGEST };
    const body = await script.commandBody('policy.activated', members, [author, approver]);
    expect(artifactNeeds(body as unknown as ChangeBody)).toEqual([]);
    expect(codesOf(await script.append(body))).toEqual(['CLY_COMMAND_MALFORMED']);
    const named = await script.commandBody('policy.activated', policy, [author, approver]);
    expect(artifactNeeds(named as unknown as ChangeBody)).toEqual([{ kind: 'policy', digest: POLICY_DIGEST }]);
  });

  it('takes routing copies that differ from the body for poison', async () => {
    const script = await new FoldScript().opened();
    await script.request();
    const envelope = script.envelopes.at(-1) as Envelopes['ChangeEnvelope'];
    for (const copies of [{ tenant: 'globex' }, { kind: 'clock.ticked' }, { event_id: script.eventId() }]) {
      const step = script.appendEnvelope({ ...envelope, ...copies });
      expect(step.receipt).toMatchObject({ kind: 'poisoned', reason: 'CLY_RECORD_ROUTING' });
    }
  });

  it('opens a stream once', async () => {
    const script = await new FoldScript().opened();
    const stream = { stream_id: digestOf('x').slice(0, 32), partition: 0, partition_count: 1, previous_stream: null };
    const again = await script.append(script.body('stream.opened', { ...stream, tenant: '_partition' }));
    expect(codesOf(again)).toEqual(['CLY_STREAM_EXISTS']);
    expect((await script.request()).receipt['stream_id']).toBe(STREAM);
  });

  it('answers a stranger tenant in the partition log', async () => {
    const script = await new FoldScript().opened();
    const step = await script.append({ ...script.body('clock.ticked', { number: 1 }), tenant: 'globex' });
    expect(step.receipt).toMatchObject({ tenant: '_partition', decision: 'block' });
  });

  it('remembers "not forwarded" for a change that has not come yet, and refuses it when it comes', async () => {
    const script = await new FoldScript().opened();
    const body = script.body('change.requested', { facts: script.facts() });
    const outcome = await script.outcome(body['event_id'] as string, 'not_forwarded');
    expect(outcome.receipt['effect']).toBe('remembered');
    expect(codesOf(await script.append(body))).toEqual(['CLY_CHANGE_ABANDONED']);
  });
});
