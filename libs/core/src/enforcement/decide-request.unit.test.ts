// SPDX-License-Identifier: Apache-2.0

import { codesOf, FoldScript, SCRIPT_KEYS, SCRIPT_POLICY, strangerKey, TENANT } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { Facts } from '../change/change-body.ts';
import { KEY_COUNT_MAX } from './limits.ts';
import type { StateTable } from './state-table.ts';

const refunds = (payee = 'a'): Partial<Facts> => ({
  route: 'refunds.create',
  schema: { id: null, verdict: 'not_required', errors: [] },
  velocity: [{ rule: 'refunds', key_digest: digestOf(payee) }],
});

describe('a request, by what is wrong with it', () => {
  const claims = (credential: string, header: string): Partial<Facts> => ({
    tenants: [
      { from: 'credential', value: credential },
      { from: 'header', value: header },
    ],
  });
  const table: readonly [name: string, facts: Partial<Facts>, decision: string, codes: string[]][] = [
    ['nothing', {}, 'allow', []],
    ['another tenant in the header', claims(TENANT, 'globex'), 'block', ['CLY_FENCE_TENANT']],
    ['a credential of another tenant', claims('globex', TENANT), 'block', ['CLY_FENCE_TENANT']],
    [
      'an actor the credential does not allow',
      {
        actors: [
          { from: 'credential', value: 'sync-bot' },
          { from: 'header', value: 'root' },
        ],
      },
      'block',
      ['CLY_FENCE_ACTOR'],
    ],
    [
      'another actor in the body than in the header',
      {
        actors: [
          { from: 'credential', value: '*' },
          { from: 'header', value: 'sync-bot' },
          { from: 'body', value: 'root' },
        ],
      },
      'block',
      ['CLY_FENCE_ACTOR'],
    ],
    ['an unlisted route', { route: null, content: 'CLY_ROUTE_UNKNOWN' }, 'block', ['CLY_ROUTE_UNKNOWN']],
    ['malformed JSON', { content: 'CLY_JSON_DUPLICATE_NAME' }, 'block', ['CLY_JSON_DUPLICATE_NAME']],
    [
      'a broken schema',
      { schema: { id: 'contact', verdict: 'invalid', errors: [{ pointer: '/email', rule: 'type' }] } },
      'block',
      ['CLY_SCHEMA_INVALID'],
    ],
    [
      'a schema that was not checked',
      { schema: { id: 'contact', verdict: 'not_checked', errors: [] } },
      'block',
      ['CLY_SCHEMA_NOT_CHECKED'],
    ],
    [
      'a schema of another route',
      { schema: { id: 'other', verdict: 'valid', errors: [] } },
      'block',
      ['CLY_SCHEMA_OTHER'],
    ],
    ['no idempotency key', { idempotency: null }, 'block', ['CLY_IDEMPOTENCY_MISSING']],
    [
      'another policy',
      { inspected_under: { policy_digest: digestOf('x'), inspector: 'clyra-inspector/0' } },
      'block',
      ['CLY_POLICY_MOVED'],
    ],
    [
      'an approval outstanding',
      { route: 'audiences.push', schema: { id: null, verdict: 'not_required', errors: [] } },
      'hold',
      ['CLY_APPROVAL_REQUIRED'],
    ],
    ['no velocity key', { ...refunds(), velocity: [] }, 'block', ['CLY_VELOCITY_KEY_MISSING']],
  ];

  it.each(table)('%s', async (_name, facts, decision, codes) => {
    const script = await new FoldScript().opened();
    const step = await script.request(facts);
    expect(step.receipt['decision']).toBe(decision);
    expect(codesOf(step)).toEqual(codes);
  });

  it('lists every reason and takes the strongest effect', async () => {
    const script = await new FoldScript().opened();
    const step = await script.request({ ...claims(TENANT, 'globex'), content: 'CLY_JSON_UTF8', idempotency: null });
    expect(codesOf(step)).toEqual(['CLY_FENCE_TENANT', 'CLY_JSON_UTF8', 'CLY_IDEMPOTENCY_MISSING']);
  });

  const push: Partial<Facts> = { route: 'audiences.push', schema: { id: null, verdict: 'not_required', errors: [] } };

  it('blocks what is blocked even if a person were to approve it', async () => {
    const script = await new FoldScript().opened();
    const step = await script.request({ ...push, content: 'CLY_JSON_UTF8' });
    expect(codesOf(step)).toEqual(['CLY_JSON_UTF8', 'CLY_APPROVAL_REQUIRED']);
    expect(step.receipt['decision']).toBe('block');
  });

  it.each(['hold', 'block'])('spends and grants nothing on %s, but remembers the nonce', async (decision) => {
    const [rule] = SCRIPT_POLICY.approvals;
    const approvals = rule === undefined ? [] : [{ ...rule, id: 'all', routes: ['contacts.sync'] }];
    const holding = { ...SCRIPT_POLICY, approvals };
    const script = await new FoldScript(decision === 'hold' ? holding : SCRIPT_POLICY).opened();
    const facts = { nonce_digest: digestOf('n'), ...(decision === 'hold' ? {} : { content: 'CLY_JSON_UTF8' }) };
    const step = await script.request(facts);
    expect(step.receipt['decision']).toBe(decision);
    expect(step.receipt['grants']).toBeUndefined();
    const table = script.fold.tenant(TENANT)?.table;
    expect(['open', 'idem', 'velocity', 'nonce', 'event'].map((name) => table?.count(name))).toEqual([0, 0, 0, 1, 1]);
    expect(codesOf(await script.request(facts))).toContain('CLY_AUTH_REPLAYED');
  });

  it.each([
    ['event', {}],
    ['nonce', {}],
    ['idem', {}],
    ['velocity', refunds()],
    ['open', {}],
  ])('blocks rather than forget when %s is full, and lets the state not grow', async (full, facts) => {
    const script = await new FoldScript().opened();
    const count = fillUp(script, full);
    const step = await script.request(facts);
    expect(step.receipt).toMatchObject({ decision: 'block', reasons: [{ code: 'CLY_STATE_FULL', detail: full }] });
    expect([count('open'), count(full)]).toEqual([0, 0]);
  });

  it('blocks for a full namespace only what needs another key in it', async () => {
    const script = await new FoldScript().opened();
    expect((await script.request(refunds())).receipt['decision']).toBe('allow');
    fillUp(script, 'velocity');
    expect((await script.request()).receipt['decision']).toBe('allow');
    expect((await script.request(refunds())).receipt['decision']).toBe('allow');
    expect(codesOf(await script.request(refunds('another')))).toEqual(['CLY_STATE_FULL']);
  });

  it('refuses what intake did not sign, and counts nothing', async () => {
    const script = await new FoldScript().opened();
    const facts = script.facts();
    const forged = await script.append(script.body('change.requested', { facts }), strangerKey());
    expect(codesOf(forged)).toEqual(['CLY_CHANGE_SIGNATURE']);
    const genuine = await script.append(script.body('change.requested', { facts }));
    expect(genuine.receipt['decision']).toBe('allow');
  });
});

describe('velocity', () => {
  it('counts exactly, per key, and says what remains', async () => {
    const script = await new FoldScript().opened();
    for (const remaining of [2, 1, 0]) {
      const step = await script.request(refunds());
      expect(step.receipt['velocity']).toMatchObject([{ rule: 'refunds', limit: 3, remaining }]);
    }
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
    expect((await script.request(refunds('b'))).receipt['decision']).toBe('allow');
  });

  it('slides: an action leaves the window exactly when its time is over', async () => {
    const script = await new FoldScript().opened();
    for (let count = 0; count < 3; count += 1) {
      await script.request(refunds());
      script.nowMs += 1_000;
    }
    script.nowMs += 296_999;
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
    script.nowMs += 1;
    expect((await script.request(refunds())).receipt['decision']).toBe('allow');
  });

  it('gives back one action and no more, and none that failed', async () => {
    const script = await new FoldScript().opened();
    const steps = [await script.request(refunds()), await script.request(refunds())];
    script.nowMs += 1;
    steps.push(await script.request(refunds()));
    await script.outcome(steps[2]?.receipt['event_id'] as string, 'failed');
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
    await script.outcome(steps[0]?.receipt['event_id'] as string, 'not_forwarded');
    expect((await script.request(refunds())).receipt['decision']).toBe('allow');
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
  });

  it('gives an action back that was not forwarded', async () => {
    const script = await new FoldScript().opened();
    const steps = [await script.request(refunds()), await script.request(refunds()), await script.request(refunds())];
    await script.outcome(steps[1]?.receipt['event_id'] as string, 'not_forwarded');
    expect((await script.request(refunds())).receipt['decision']).toBe('allow');
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
  });
});

describe('kill switch', () => {
  it.each(['tenant', 'route:contacts.sync', 'actor:sync-bot'])(
    '%s stops what is under it until two lift it',
    async (scope) => {
      const script = await new FoldScript().opened();
      await script.command('kill_switch.engaged', { scope, reason: 'drill' }, [SCRIPT_KEYS.operator]);
      expect(codesOf(await script.request())).toEqual(['CLY_KILL_SWITCH']);
      script.nowMs += 1;
      const alone = await script.command('kill_switch.lifted', { scope, reason: 'over' }, [SCRIPT_KEYS.operator]);
      expect(codesOf(alone)).toEqual(['CLY_COMMAND_TWO_PERSONS']);
      const both = [SCRIPT_KEYS.operator, SCRIPT_KEYS.second];
      expect((await script.command('kill_switch.lifted', { scope, reason: 'over' }, both)).receipt['decision']).toBe(
        'allow',
      );
      expect((await script.request()).receipt['decision']).toBe('allow');
    },
  );

  it('stops an actor who names another, where the policy lets them differ', async () => {
    const lax = { ...SCRIPT_POLICY, tenant_fences: { ...SCRIPT_POLICY.tenant_fences, cross_check: false } };
    const script = await new FoldScript(lax).opened();
    await script.command('kill_switch.engaged', { scope: 'actor:bob', reason: 'drill' }, [SCRIPT_KEYS.operator]);
    const by = (credential: string[], header: string): Partial<Facts> => ({
      actors: [
        ...credential.map((value) => ({ from: 'credential' as const, value })),
        { from: 'header' as const, value: header },
      ],
    });
    expect(codesOf(await script.request(by(['bob'], 'alice')))).toEqual(['CLY_KILL_SWITCH']);
    expect((await script.request(by(['alice', 'bob'], 'alice'))).receipt['decision']).toBe('allow');
  });
});

/** Makes a namespace of the tenant's state say that it is full. */
function fillUp(script: FoldScript, full: string): StateTable['count'] {
  const table = script.fold.tenant(TENANT)?.table as StateTable;
  const count = table.count.bind(table);
  table.count = (name) => (name === full ? (KEY_COUNT_MAX[name] as number) : count(name));
  return count;
}
