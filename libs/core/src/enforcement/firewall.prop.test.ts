// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { FirewallScript } from '@clyra/testing/firewall-script';
import { SCRIPT_KEYS, TENANT } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { Facts } from '../change/change-body.ts';
import { KEY_COUNT_MAX } from './limits.ts';

/** `make test-long` sets it: how many sequences each property tries. */
const RUNS = { numRuns: Number(process.env['CLYRA_FIREWALL_RUNS'] ?? 60) };

type Move =
  | {
      readonly do: 'request';
      readonly body: number;
      readonly key: number;
      readonly actor: number;
      readonly cents: number;
      readonly bad: boolean;
    }
  | { readonly do: 'resend' | 'approve'; readonly back: number }
  | { readonly do: 'outcome'; readonly back: number; readonly end: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'crash' | 'window' | 'tick' };

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      body: fc.nat({ max: 2 }),
      key: fc.nat({ max: 3 }),
      actor: fc.nat({ max: 1 }),
      cents: fc.integer({ min: 0, max: 9_000 }),
      bad: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constantFrom('resend' as const, 'approve' as const), back: fc.nat({ max: 4 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('outcome' as const),
      back: fc.nat({ max: 4 }),
      end: fc.constantFrom('done', 'failed', 'not_forwarded'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 120_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('crash' as const, 'window' as const, 'tick' as const) }) },
);
const moves = fc.array(move, { minLength: 1, maxLength: 60 });

const RULES = {
  idempotency: [{ routes: ['r'], ttl_seconds: 30 * 86_400 }],
  rate_limits: [{ id: 'money', routes: '*', window_seconds: 60, amount: '/a', max_amount: '200', max_actions: 12 }],
  kill_switch: [
    { id: 'k', routes: '*', metric: 'error_rate', threshold: 0.6, window_seconds: 60, min_count: 3, ttl_seconds: 30 },
  ],
  loop_breaker: [{ id: 'l', routes: '*', identical_repeats: 6, cool_off_seconds: 20 }],
  cost_caps: [{ id: 'c', routes: '*', per_action: '0.5', max: '8', window_seconds: 60 }],
  approvals: [{ id: 'a', routes: ['r'], amount: '/a', only_above: '60' }],
};

type Answered = { readonly body: JsonObject; readonly receipt: JsonObject };

/** Plays the moves as a restless intake would: resends, crashes and late outcomes included. */
async function play(sequence: readonly Move[], rules: object): Promise<{ tenant: FirewallScript; all: Answered[] }> {
  const tenant = await FirewallScript.under(rules);
  const { script } = tenant;
  const all: Answered[] = [];
  const sent: Answered[] = [];
  const counters = { epoch: 1, tick: 0, window: 0 };
  for (const one of sequence) {
    if (one.do === 'wait') script.nowMs += one.ms;
    if (one.do === 'crash') counters.epoch += 1;
    const body = await bodyOf(one, { tenant, sent, counters });
    if (body === undefined) continue;
    const { receipt } = await script.append(body);
    if (receipt['effect'] === 'ticked') counters.tick += 1;
    if (one.do === 'window' && receipt['decision'] === 'allow') counters.window += 1;
    all.push({ body, receipt });
    if (one.do === 'request') sent.push({ body, receipt });
  }
  return { tenant, all };
}

type World = {
  readonly tenant: FirewallScript;
  readonly sent: readonly Answered[];
  readonly counters: { readonly epoch: number; readonly tick: number; readonly window: number };
};

async function bodyOf(one: Move, { tenant, sent, counters }: World): Promise<JsonObject | undefined> {
  const { script } = tenant;
  const intake = { instance: 'intake-1', epoch: counters.epoch };
  const back = 'back' in one ? sent[sent.length - 1 - one.back] : undefined;
  switch (one.do) {
    case 'request':
      return { ...script.body('change.requested', { facts: script.facts(factsOf(one)) }), intake };
    case 'resend':
      return back?.body;
    case 'approve': {
      const held =
        back?.receipt['decision'] === 'hold' ? script.steps.find(({ receipt }) => receipt === back.receipt) : undefined;
      if (held === undefined) return undefined;
      const certificate = tenant.certificate(held);
      return { ...(await script.commandBody('approval.granted', certificate, [SCRIPT_KEYS.human])), intake };
    }
    case 'outcome':
      return back === undefined
        ? undefined
        : { ...script.body('change.outcome', { of: back.body['event_id'], outcome: one.end }), intake };
    case 'window':
      return { ...script.body('window.closed', { number: counters.window + 1 }), intake };
    case 'wait':
      return undefined;
    default:
      return { ...script.body('clock.ticked', { number: counters.tick + 1 }), intake };
  }
}

function factsOf(one: Extract<Move, { do: 'request' }>): Partial<Facts> {
  const value = (one.cents / 100).toFixed(2);
  const amount = (rule: string) => ({ rule, value, currency: null });
  const content = digestOf(`body ${one.body} ${one.cents}`);
  return {
    route: 'r',
    schema: { id: null, verdict: 'not_required', errors: [] },
    content: one.bad ? 'CLY_JSON_UTF8' : 'ok',
    canonical_digest: content,
    actors: [
      { from: 'credential', value: '*' },
      { from: 'header', value: `bot-${one.actor}` },
    ],
    idempotency: { key_digest: digestOf(`key ${one.key}`), fingerprint: content },
    velocity: [{ rule: 'money', key_digest: digestOf(`actor ${one.actor}`) }],
    amounts: [amount('rate_limits/money'), amount('approvals/a')],
  };
}

const isAllowed = ({ receipt }: Answered): boolean =>
  receipt['decision'] === 'allow' &&
  receipt['change_kind'] === 'change.requested' &&
  receipt['duplicate_of'] === undefined;

describe('the whole decider', () => {
  it('gives each key one effect, whatever is resent, crashes or comes late', async () => {
    const decisions = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { all } = await play(sequence, RULES);
        const holders = new Map<string, string>();
        for (const answered of all) {
          const { body, receipt } = answered;
          const decision = String(receipt['decision']);
          decisions.set(decision, (decisions.get(decision) ?? 0) + 1);
          if (receipt['effect'] === 'returned') {
            for (const [key, event] of holders) if (event === receipt['of']) holders.delete(key);
          }
          if (!isAllowed(answered)) continue;
          const facts = body['facts'] as unknown as Facts;
          const key = facts.idempotency?.key_digest ?? '';
          expect(holders.get(key)).toBeUndefined();
          holders.set(key, body['event_id'] as string);
        }
      }),
      RUNS,
    );
    for (const decision of ['allow', 'hold', 'block']) expect(decisions.get(decision)).toBeGreaterThan(20);
  });

  it('never lets more through than the windows, the caps and the approvals do', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { all } = await play(sequence, RULES);
        const live = new Map<string, { at: number; cents: number; actor: string }>();
        for (const answered of all) {
          const { body, receipt } = answered;
          if (receipt['effect'] === 'returned') live.delete(receipt['of'] as string);
          if (!isAllowed(answered)) continue;
          const facts = body['facts'] as unknown as Facts;
          const at = receipt['decided_at'] as number;
          const cents = Math.round(Number(facts.amounts?.[0]?.value) * 100);
          const actor = receipt['actor'] as string;
          live.set(body['event_id'] as string, { at, cents, actor });
          const own = [...live.values()].filter((one) => one.actor === actor && one.at > at - 60_000);
          expect(own.length).toBeLessThanOrEqual(12);
          expect(own.reduce((sum, one) => sum + one.cents, 0)).toBeLessThanOrEqual(20_000);
          expect(own.length * 50).toBeLessThanOrEqual(800);
          if (cents > 6_000) expect(receipt['approval']).toMatchObject({ state: 'used' });
        }
      }),
      RUNS,
    );
  });

  it('admits nothing more when a rule is added', async () => {
    const stricter: readonly object[] = [
      { ...RULES, voice: [{ id: 'v', routes: '*' }] },
      { ...RULES, sql_safety: [{ id: 's', routes: '*', dialect: 'postgres' }] },
      { ...RULES, deploy: [{ id: 'd', routes: '*' }] },
      { ...RULES, approvals: [{ id: 'a', routes: '*', quorum: 2 }] },
      { ...RULES, loop_breaker: [{ id: 'l', routes: '*', actions_per_minute: 2 }] },
      {
        ...RULES,
        rate_limits: [
          ...RULES.rate_limits,
          { id: 'more', routes: '*', key: 'tenant', window_seconds: 60, max_actions: 1 },
        ],
      },
    ];
    const rank = (answered: Answered | undefined): number =>
      ['allow', 'hold', 'block'].indexOf(String(answered?.receipt['decision'] ?? 'allow'));
    await fc.assert(
      fc.asyncProperty(moves, fc.constantFrom(...stricter), async (sequence, rules) => {
        const plain = (await play(sequence, RULES)).all;
        const strict = (await play(sequence, rules)).all;
        const at = plain.findIndex((one, index) => rank(one) !== rank(strict[index]));
        // Up to there both tenants are alike, so the stricter one can only have refused.
        if (at >= 0) expect(rank(strict[at])).toBeGreaterThan(rank(plain[at]));
      }),
      RUNS,
    );
  });

  it('keeps its state under its caps, and forgets all of it in the end', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { tenant, all } = await play(sequence, RULES);
        const { script } = tenant;
        const table = script.fold.tenant(TENANT)?.table;
        for (const name of table?.namespaces() ?? []) {
          expect(table?.count(name)).toBeLessThanOrEqual(KEY_COUNT_MAX[name] ?? 1);
        }
        script.nowMs += 40 * 86_400_000;
        const window = all.filter(
          ({ receipt }) => receipt['change_kind'] === 'window.closed' && receipt['decision'] === 'allow',
        ).length;
        const intake = { instance: 'intake-2', epoch: 1 };
        await script.append({ ...script.body('window.closed', { number: window + 1 }), intake });
        const left = (table?.namespaces() ?? []).filter((name) => (table?.count(name) ?? 0) > 0).sort();
        expect(left.filter((name) => !['meta', 'intake', 'open', 'idem', 'run'].includes(name))).toEqual([]);
      }),
      RUNS,
    );
  });
});
