// SPDX-License-Identifier: Apache-2.0
import { codesOf, FoldScript, SCRIPT_POLICY, type Step, TENANT } from '@clyra/testing/fold-script';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { RateLimitRule } from '../policy/policy.ts';

const RULE: RateLimitRule = {
  id: 'refunds',
  routes: ['refunds.create'],
  key: 'actor',
  window_seconds: 300,
  max_actions: null,
  amount: { value: '/amount', currency: '/currency' },
  max_amount: { EUR: '100.00', '*': '10' },
};

describe('velocity on amounts', () => {
  let script: FoldScript;
  beforeEach(async () => {
    script = await new FoldScript({ ...SCRIPT_POLICY, rate_limits: [RULE] }).opened();
  });

  const refund = (value: string | null, currency: string | null = 'EUR', actor = 'a'): Promise<Step> =>
    script.request({
      route: 'refunds.create',
      schema: { id: null, verdict: 'not_required', errors: [] },
      velocity: [{ rule: 'refunds', key_digest: digestOf(actor) }],
      amounts: [{ rule: 'rate_limits/refunds', value, currency }],
    });
  const decisions = async (...amounts: [string | null, string | null][]): Promise<string[]> => {
    const made: string[] = [];
    for (const [value, currency] of amounts) {
      const step = await refund(value, currency);
      made.push(codesOf(step).join() || (step.receipt['decision'] as string));
    }
    return made;
  };

  it('admits up to the limit exactly, and not a cent more', async () => {
    expect(await decisions(['99.99', 'EUR'], ['0.02', 'EUR'], ['0.01', 'EUR'], ['0.01', 'EUR'])).toEqual([
      'allow',
      'CLY_VELOCITY_AMOUNT_EXCEEDED',
      'allow',
      'CLY_VELOCITY_AMOUNT_EXCEEDED',
    ]);
  });

  it('counts each currency, and each key, apart', async () => {
    expect(await decisions(['100', 'EUR'], ['10', 'USD'], ['0.5', 'USD'], ['10', null])).toEqual([
      'allow',
      'allow',
      'CLY_VELOCITY_AMOUNT_EXCEEDED',
      'allow',
    ]);
    expect((await refund('100', 'EUR', 'b')).receipt['decision']).toBe('allow');
  });

  it('refuses what it cannot count', async () => {
    expect(await decisions([null, 'EUR'], [null, null])).toEqual(['CLY_AMOUNT_MISSING', 'CLY_AMOUNT_MISSING']);
    const silent = await script.request({
      route: 'refunds.create',
      schema: { id: null, verdict: 'not_required', errors: [] },
      velocity: [{ rule: 'refunds', key_digest: digestOf('a') }],
    });
    expect(codesOf(silent)).toEqual(['CLY_AMOUNT_MISSING']);
  });

  it('refuses a currency without a limit, and the seventeenth under one key', async () => {
    const strict = { ...RULE, max_amount: { EUR: '1' } };
    script = await new FoldScript({ ...SCRIPT_POLICY, rate_limits: [strict] }).opened();
    expect(codesOf(await refund('1', 'USD'))).toEqual(['CLY_VELOCITY_CURRENCY']);
    script = await new FoldScript({ ...SCRIPT_POLICY, rate_limits: [RULE] }).opened();
    for (let index = 0; index < 16; index += 1) {
      expect((await refund('1', `X${String.fromCharCode(65 + index)}A`)).receipt['decision']).toBe('allow');
    }
    expect(codesOf(await refund('1', 'ZZZ'))).toEqual(['CLY_VELOCITY_CURRENCY']);
    expect((await refund('1', 'XAA')).receipt['decision']).toBe('allow');
  });

  it('gives back what was surely not forwarded, and has room again after the window', async () => {
    const first = await refund('100');
    expect(codesOf(await refund('1'))).toEqual(['CLY_VELOCITY_AMOUNT_EXCEEDED']);
    await script.outcome(first.receipt['event_id'] as string, 'not_forwarded');
    expect((await refund('100')).receipt['decision']).toBe('allow');
    script.nowMs += 300_000 + 5_000;
    expect((await refund('100')).receipt['decision']).toBe('allow');
  });

  it('says in the receipt how much is left', async () => {
    const step = await refund('40.5');
    expect(step.receipt['velocity']).toEqual([
      {
        rule: 'refunds',
        window_seconds: 300,
        reset_ms: 300_000,
        amount: { currency: 'EUR', limit: '100', remaining: '59.5' },
      },
    ]);
  });

  it('keeps its state small in a window of 100,000 actions', async () => {
    const many = { ...RULE, amount: null, max_amount: {}, max_actions: 100_000, window_seconds: 3_600 };
    script = await new FoldScript({ ...SCRIPT_POLICY, rate_limits: [many] }).opened();
    for (let index = 0; index < 700; index += 1) await refund('1');
    const table = script.fold.tenant(TENANT)?.table;
    expect([table?.count('velocity'), table?.count('velocity_chunk')]).toEqual([1, 5]);
  });
});
