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
  TENANT,
} from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { Facts } from '../change/change-body.ts';
import { TIMESTAMP_TOLERANCE_MS } from '../inspection/request-signature.ts';
import { TIME_SKEW_MS_MAX } from './limits.ts';

const refunds = (): Partial<Facts> => ({
  route: 'refunds.create',
  schema: { id: null, verdict: 'not_required', errors: [] },
  velocity: [{ rule: 'refunds', key_digest: digestOf('a') }],
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
    script.nowMs = START_MS + 609_999;
    expect(codesOf(await script.request(nonce))).toEqual(['CLY_AUTH_REPLAYED']);
    script.nowMs += 1;
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

  it('moves tenant time with signed records only, and never back', async () => {
    const script = await new FoldScript().opened();
    const stranger = strangerKey();
    const steps = [];
    for (const [afterMs, signer] of [
      [1_000, SCRIPT_KEYS.intake],
      [5_000, stranger],
      [500, SCRIPT_KEYS.intake],
      [2_000, SCRIPT_KEYS.intake],
      [1_999, SCRIPT_KEYS.intake],
    ] as const) {
      script.nowMs = START_MS + afterMs;
      steps.push(await script.append(script.body('change.requested', { facts: script.facts() }), signer));
    }
    const times = steps.map(({ receipt }) => (receipt['decided_at'] as number) - START_MS);
    expect(times).toEqual([1_000, 1_000, 1_000, 2_000, 2_000]);
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

describe('ticks, windows and epochs', () => {
  const key = { idempotency: { key_digest: digestOf('k'), fingerprint: digestOf('f') } };
  const epoch = (number: number, instance = 'intake-1') => ({ intake: { instance, epoch: number } });

  it('lets each tick number count once', async () => {
    const script = await new FoldScript().opened();
    const effects: unknown[] = [];
    for (const number of [2, 1, 1, 2]) {
      effects.push((await script.append(script.body('clock.ticked', { number }))).receipt['effect']);
    }
    expect(effects).toEqual(['ignored', 'ticked', 'ignored', 'ticked']);
  });

  it.each([
    ['clock.ticked', 'CLY_IDEMPOTENCY_UNKNOWN'],
    ['window.closed', 'CLY_IDEMPOTENCY_UNKNOWN'],
  ])('calls an allowed change unknown at the first %s on or after its deadline', async (kind, code) => {
    const script = await new FoldScript().opened();
    await script.request(key);
    script.nowMs += 59_999;
    await script.append(script.body(kind, { number: 1 }));
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_IN_FLIGHT']);
    script.nowMs += 1;
    await script.append(script.body(kind, { number: 2 }));
    expect(codesOf(await script.request(key))).toEqual([code]);
  });

  it('forgets at a window what has expired, and nothing before', async () => {
    const script = await new FoldScript().opened();
    const table = script.fold.tenant(TENANT)?.table;
    const counts = () => ['event', 'nonce', 'idem', 'velocity', 'abandoned'].map((name) => table?.count(name));
    const first = await script.request(key);
    await script.outcome(first.receipt['event_id'] as string, 'done');
    await script.outcome((await script.request(refunds())).receipt['event_id'] as string, 'done');
    await script.outcome(script.eventId(), 'not_forwarded');
    let number = 0;
    const closeAt = async (afterMs: number) => {
      script.nowMs = START_MS + afterMs;
      number += 1;
      await script.append(script.body('window.closed', { number }));
      return counts();
    };
    expect(await closeAt(299_999)).toEqual([2, 2, 1, 1, 1]);
    expect(await closeAt(300_000)).toEqual([2, 2, 1, 0, 1]);
    expect(await closeAt(599_999)).toEqual([2, 2, 1, 0, 1]);
    expect(await closeAt(600_000)).toEqual([0, 2, 1, 0, 0]);
    expect(await closeAt(610_000)).toEqual([0, 0, 1, 0, 0]);
    expect(await closeAt(3_599_999)).toEqual([0, 0, 1, 0, 0]);
    expect(await closeAt(3_600_000)).toEqual([0, 0, 0, 0, 0]);
  });

  it('hears nothing more from an older epoch', async () => {
    const script = await new FoldScript().opened();
    const of = (await script.request(key)).receipt['event_id'] as string;
    await script.append({ ...script.body('clock.ticked', { number: 1 }), ...epoch(2) });
    expect(codesOf(await script.request())).toEqual(['CLY_INTAKE_STALE']);
    expect((await script.outcome(of, 'not_forwarded')).receipt['effect']).toBe('ignored');
  });

  it('orphans what the older epoch of the same instance held, at the first record of the newer one', async () => {
    const script = await new FoldScript().opened();
    await script.request(key);
    const byOther = { ...script.body('change.requested', { facts: script.facts(key) }), ...epoch(9, 'intake-2') };
    expect(codesOf(await script.append(byOther))).toEqual(['CLY_IDEMPOTENCY_IN_FLIGHT']);
    const byNewer = { ...script.body('change.requested', { facts: script.facts(key) }), ...epoch(2) };
    expect(codesOf(await script.append(byNewer))).toEqual(['CLY_IDEMPOTENCY_UNKNOWN']);
  });

  it('serves no more intakes than it can remember', async () => {
    const script = await new FoldScript().opened();
    for (let count = 2; count <= 1_001; count += 1) {
      const tick = { ...script.body('clock.ticked', { number: 0 }), ...epoch(1, `intake-${count}`) };
      await script.append(tick);
    }
    const late = { ...script.body('change.requested', { facts: script.facts() }), ...epoch(1, 'intake-1001') };
    expect(codesOf(await script.append(late))).toEqual(['CLY_INTAKE_STALE']);
  });
});
