// SPDX-License-Identifier: Apache-2.0

import {
  codesOf,
  FoldScript,
  POLICY_DIGEST,
  SCRIPT_KEYS,
  SCRIPT_POLICY,
  SCRIPT_TRUST,
  START_MS,
  STREAM,
  strangerKey,
  TENANT,
} from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { Facts } from '../change/change-body.ts';
import { TIMESTAMP_TOLERANCE_MS } from '../inspection/request-signature.ts';
import { TIME_SKEW_MS_MAX } from './limits.ts';

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

  it('refuses what intake did not sign, and counts nothing', async () => {
    const script = await new FoldScript().opened();
    const facts = script.facts();
    const forged = await script.append(script.body('change.requested', { facts }), strangerKey());
    expect(codesOf(forged)).toEqual(['CLY_CHANGE_SIGNATURE']);
    const genuine = await script.append(script.body('change.requested', { facts }));
    expect(genuine.receipt['decision']).toBe('allow');
  });
});

describe('identity and time', () => {
  it('answers the same bytes again as before, with nothing counted twice', async () => {
    const script = await new FoldScript().opened();
    const body = script.body('change.requested', { facts: script.facts(refunds()) });
    const first = await script.append(body);
    const again = await script.append(body);
    expect(first.receipt['decision']).toBe('allow');
    expect(again.receipt['decision']).toBe('allow');
    expect(again.receipt['duplicate_of']).toBe(first.receipt['receipt_id']);
    expect(again.receipt['grants']).toBeUndefined();
    await script.request(refunds());
    await script.request(refunds());
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
  });

  it('refuses other bytes under a known event id', async () => {
    const script = await new FoldScript().opened();
    const body = script.body('change.requested', { facts: script.facts() });
    await script.append(body);
    const other = await script.append({ ...body, facts: script.facts({ payload_size: 11 }) });
    expect(codesOf(other)).toEqual(['CLY_CHANGE_CONFLICT']);
  });

  it('recognises a late resend before the clock is looked at', async () => {
    const script = await new FoldScript().opened();
    const body = script.body('change.requested', { facts: script.facts() });
    await script.append(body);
    script.nowMs += 60_000;
    expect((await script.append(body)).receipt['duplicate_of']).toBeDefined();
  });

  it('refuses a skewed clock and does not move tenant time', async () => {
    const script = await new FoldScript().opened();
    const before = script.nowMs;
    script.nowMs += 2_001;
    const skewed = await script.append({
      ...script.body('change.requested', { facts: script.facts() }),
      intake_at: before,
    });
    expect(codesOf(skewed)).toEqual(['CLY_TIME_SKEW']);
    expect(skewed.receipt['decided_at']).toBe(before);
  });

  it('refuses a nonce that came before, for as long as its request could still be accepted', async () => {
    const script = await new FoldScript().opened();
    const nonce = { nonce_digest: digestOf('the nonce') };
    await script.request(nonce);
    expect(codesOf(await script.request(nonce))).toEqual(['CLY_AUTH_REPLAYED']);
    // A caller whose clock is five minutes ahead signs what intake accepts for ten.
    script.nowMs += 2 * TIMESTAMP_TOLERANCE_MS + 2 * TIME_SKEW_MS_MAX;
    expect(codesOf(await script.request(nonce))).toEqual(['CLY_AUTH_REPLAYED']);
    script.nowMs += 10_000;
    expect((await script.request(nonce)).receipt['decision']).toBe('allow');
  });

  it.each([
    ['change.outcome', { of: '00000000-0000-7000-8000-00000000ffff', outcome: 'done' }],
    ['clock.ticked', { number: 1 }],
    ['window.closed', { number: 1 }],
    ['run.opened', { run_id: 'run-1', actor: 'sync-bot', principal: 'key-1' }],
  ])('lets no %s under a broken clock move tenant time, so that nothing lapses', async (kind, members) => {
    const script = await new FoldScript().opened();
    const before = script.nowMs;
    for (let count = 0; count < 3; count += 1) await script.request(refunds());
    const late = script.body(kind, members);
    script.nowMs += 3_600_000;
    expect((await script.append(late)).receipt['decided_at']).toBe(before);
    script.nowMs = before + 1;
    expect(codesOf(await script.request(refunds()))).toEqual(['CLY_VELOCITY_EXCEEDED']);
  });

  it('does not begin a tenant in the future of a broken clock', async () => {
    const script = new FoldScript();
    const intakeAt = script.nowMs;
    const stream = { stream_id: STREAM, partition: 0, partition_count: 1, previous_stream: null };
    await script.append(script.body('stream.opened', { ...stream, tenant: '_partition' }));
    script.nowMs += 3_600_000;
    const command = { partition: 0, engine: 1, trust_root: SCRIPT_TRUST.root.digest, policy: POLICY_DIGEST };
    const signed = await script.commandBody('tenant.opened', command, [SCRIPT_KEYS.operator]);
    const opened = await script.append({ ...signed, intake_at: intakeAt });
    expect(opened.receipt).toMatchObject({ decision: 'allow', decided_at: intakeAt });
  });

  it.each([
    ['a skewed clock', { intake_at: START_MS - 60_000 }, 'CLY_TIME_SKEW'],
    ['another policy', {}, 'CLY_POLICY_MOVED'],
  ])('answers a copy as the first that was blocked for %s', async (_name, members, code) => {
    const script = await new FoldScript().opened();
    const moved = { policy_digest: digestOf('x'), inspector: 'clyra-inspector/0' };
    const facts = script.facts(code === 'CLY_POLICY_MOVED' ? { inspected_under: moved } : {});
    const body = { ...script.body('change.requested', { facts }), ...members };
    expect(codesOf(await script.append(body))).toEqual([code]);
    // The copy comes when the clock is right again: its caller was told no.
    if (code === 'CLY_TIME_SKEW') script.nowMs -= 60_000;
    const copy = await script.append(body);
    expect(copy.receipt).toMatchObject({ decision: 'block', duplicate_of: expect.any(String) });
  });
});

describe('idempotency', () => {
  const key = { idempotency: { key_digest: digestOf('k'), fingerprint: digestOf('f') } };

  it('lets one change hold a key until its end is known', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_IN_FLIGHT']);
    await script.outcome(first.receipt['event_id'] as string, 'done');
    const repeat = await script.request(key);
    expect(codesOf(repeat)).toEqual(['CLY_IDEMPOTENCY_REPEAT']);
    expect(repeat.receipt['idempotency']).toMatchObject({
      state: 'repeat',
      outcome: 'done',
      receipt_id: first.receipt['receipt_id'],
    });
  });

  it('refuses another body under the key', async () => {
    const script = await new FoldScript().opened();
    await script.request(key);
    const other = await script.request({ idempotency: { key_digest: digestOf('k'), fingerprint: digestOf('g') } });
    expect(codesOf(other)).toEqual(['CLY_IDEMPOTENCY_MISMATCH']);
  });

  it('gives the key back when the change was not forwarded', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    await script.outcome(first.receipt['event_id'] as string, 'not_forwarded');
    expect((await script.request(key)).receipt['decision']).toBe('allow');
  });

  it('never frees a key whose change may have had an effect, however late it is', async () => {
    const script = await new FoldScript().opened();
    await script.request(key);
    script.nowMs += 4_000_000;
    await script.append(script.body('window.closed', { number: 1 }));
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_UNKNOWN']);
  });

  it('gives the key back when the change was not forwarded, even if it was unknown by then', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    script.nowMs += 61_000;
    await script.append(script.body('clock.ticked', { number: 1 }));
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_UNKNOWN']);
    await script.outcome(first.receipt['event_id'] as string, 'not_forwarded');
    expect((await script.request(key)).receipt['decision']).toBe('allow');
  });

  it.each(['outcome', 'operator'])('keeps a key whose end came after its time (%s)', async (by) => {
    const script = await new FoldScript().opened();
    const of = (await script.request(key)).receipt['event_id'] as string;
    script.nowMs += 4_000_000;
    await script.append(script.body('clock.ticked', { number: 1 }));
    if (by === 'outcome') await script.outcome(of, 'done');
    else await script.command('change.resolved', { of, resolution: 'done' }, [SCRIPT_KEYS.operator]);
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_REPEAT']);
  });

  it('lets nobody but the intake that holds a change say what came of it', async () => {
    const script = await new FoldScript().opened();
    const of = (await script.request(key)).receipt['event_id'] as string;
    const body = script.body('change.outcome', { of, outcome: 'not_forwarded' });
    const strange = await script.append({ ...body, intake: { instance: 'intake-2', epoch: 1 } });
    expect(strange.receipt['effect']).toBe('ignored');
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_IN_FLIGHT']);
  });

  it('takes a settled key again after its time, and says so', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    await script.outcome(first.receipt['event_id'] as string, 'done');
    script.nowMs += 3_600_000;
    expect((await script.request(key)).receipt['idempotency']).toMatchObject({ state: 'expired_reuse' });
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
