// SPDX-License-Identifier: Apache-2.0

import { codesOf, FoldScript, SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';

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
    for (const number of [1, 2]) {
      await script.append(script.body('window.closed', { number }));
      expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_UNKNOWN']);
    }
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

  it('believes no restarted intake what the crashed one did', async () => {
    const script = await new FoldScript().opened();
    const of = (await script.request(key)).receipt['event_id'] as string;
    const restarted = { intake: { instance: 'intake-1', epoch: 2 } };
    const outcome = await script.append({
      ...script.body('change.outcome', { of, outcome: 'not_forwarded' }),
      ...restarted,
    });
    expect(outcome.receipt['effect']).toBe('ignored');
    const facts = script.facts(key);
    const again = await script.append({ ...script.body('change.requested', { facts }), ...restarted });
    expect(codesOf(again)).toEqual(['CLY_IDEMPOTENCY_UNKNOWN']);
  });

  it('takes an outcome once, and none for what was settled or refused', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    const blocked = await script.request(key);
    for (const [step, outcome, effect] of [
      [first, 'done', 'done'],
      [first, 'not_forwarded', 'ignored'],
      [blocked, 'not_forwarded', 'ignored'],
    ] as const) {
      const told = await script.outcome(step.receipt['event_id'] as string, outcome);
      expect(told.receipt['effect']).toBe(effect);
    }
    const table = script.fold.tenant(TENANT)?.table;
    expect([table?.count('open'), table?.count('abandoned')]).toEqual([0, 0]);
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_REPEAT']);
  });

  it('takes a settled key again after its time, and says so', async () => {
    const script = await new FoldScript().opened();
    const first = await script.request(key);
    await script.outcome(first.receipt['event_id'] as string, 'done');
    script.nowMs += 3_600_000;
    expect((await script.request(key)).receipt['idempotency']).toMatchObject({ state: 'expired_reuse' });
  });

  it('keeps the key and the count of a change that failed: it may have had its effect', async () => {
    const script = await new FoldScript().opened();
    await script.outcome((await script.request(key)).receipt['event_id'] as string, 'failed');
    const repeat = await script.request(key);
    expect(codesOf(repeat)).toEqual(['CLY_IDEMPOTENCY_REPEAT']);
    expect(repeat.receipt['idempotency']).toMatchObject({ outcome: 'failed' });
  });

  it('frees a key exactly when its time is over', async () => {
    const script = await new FoldScript().opened();
    await script.outcome((await script.request(key)).receipt['event_id'] as string, 'done');
    script.nowMs += 3_599_999;
    expect(codesOf(await script.request(key))).toEqual(['CLY_IDEMPOTENCY_REPEAT']);
    script.nowMs += 1;
    expect((await script.request(key)).receipt['decision']).toBe('allow');
  });
});
