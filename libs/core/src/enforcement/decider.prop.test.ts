// SPDX-License-Identifier: Apache-2.0

import { FoldScript, SCRIPT_POLICY, type Step } from '@clyra/testing/fold-script';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { linkTo, tenantGenesis } from '../change/links.ts';
import type { Policy } from '../policy/policy.ts';

type Move =
  | { readonly do: 'request'; readonly route: string; readonly key: number; readonly print: number }
  | { readonly do: 'resend'; readonly back: number }
  | { readonly do: 'outcome'; readonly back: number; readonly outcome: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'restart' }
  | { readonly do: 'tick' };

const move: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      route: fc.constantFrom('contacts.sync', 'refunds.create', 'audiences.push'),
      key: fc.integer({ min: 0, max: 3 }),
      print: fc.integer({ min: 0, max: 1 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resend' as const), back: fc.nat({ max: 5 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('outcome' as const),
      back: fc.nat({ max: 5 }),
      outcome: fc.constantFrom('done', 'failed', 'not_forwarded'),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 90_000 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
);

type Played = { readonly script: FoldScript; readonly steps: Step[]; readonly sent: JsonObject[] };

async function play(moves: readonly Move[], policy: Policy): Promise<Played> {
  const script = await new FoldScript(policy).opened();
  const steps: Step[] = [];
  const sent: JsonObject[] = [];
  let epoch = 1;
  let tick = 0;
  const back = (distance: number): JsonObject | undefined => sent[sent.length - 1 - distance];
  for (const one of moves) {
    if (one.do === 'restart') epoch += 1;
    const body = bodyOf(one, { script, back, epoch, tick: tick + 1 });
    if (one.do === 'wait') script.nowMs += one.ms;
    if (body === undefined) continue;
    const step = await script.append(body);
    if (step.receipt['effect'] === 'ticked') tick += 1;
    steps.push(step);
    if (one.do === 'request') sent.push(body);
  }
  return { script, steps, sent };
}

type World = {
  readonly script: FoldScript;
  readonly back: (distance: number) => JsonObject | undefined;
  readonly epoch: number;
  readonly tick: number;
};

function bodyOf(one: Move, { script, back, epoch, tick }: World): JsonObject | undefined {
  const intake = { instance: 'intake-1', epoch };
  switch (one.do) {
    case 'request':
      return { ...script.body('change.requested', { facts: requestFacts(script, one) }), intake };
    case 'resend':
      return back(one.back);
    case 'outcome': {
      const of = back(one.back)?.['event_id'];
      return of === undefined ? undefined : { ...script.body('change.outcome', { of, outcome: one.outcome }), intake };
    }
    case 'restart':
    case 'tick':
      return { ...script.body('clock.ticked', { number: tick }), intake };
    case 'wait':
      return undefined;
  }
}

function requestFacts(script: FoldScript, one: Extract<Move, { do: 'request' }>): JsonObject {
  const schema =
    one.route === 'contacts.sync'
      ? { id: 'contact', verdict: 'valid' as const, errors: [] }
      : { id: null, verdict: 'not_required' as const, errors: [] };
  return script.facts({
    route: one.route,
    schema,
    idempotency: { key_digest: digestOf(`key ${one.key}`), fingerprint: digestOf(`print ${one.print}`) },
    velocity: [{ rule: 'refunds', key_digest: digestOf('actor') }],
  });
}

const moves = fc.array(move, { minLength: 1, maxLength: 40 });
const RUNS = { numRuns: 60 };

describe('the decider, over any sequence of requests, resends, outcomes, restarts and waits', () => {
  it('gives each key at most one effect that was not returned', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { steps, sent } = await play(sequence, SCRIPT_POLICY);
        const holders = new Map<string, string>();
        for (const { receipt } of steps) {
          const body = sent.find((one) => one['event_id'] === receipt['event_id']);
          if (receipt['effect'] === 'returned')
            for (const [key, event] of holders) if (event === receipt['of']) holders.delete(key);
          const facts = body?.['facts'] as JsonObject | undefined;
          if (
            receipt['decision'] !== 'allow' ||
            receipt['duplicate_of'] !== undefined ||
            facts?.['route'] !== 'contacts.sync'
          )
            continue;
          const key = (facts['idempotency'] as JsonObject)['key_digest'] as string;
          const reuse = (receipt['idempotency'] as JsonObject)['state'] === 'expired_reuse';
          if (!reuse) expect(holders.get(key)).toBeUndefined();
          holders.set(key, receipt['event_id'] as string);
        }
      }),
      RUNS,
    );
  });

  it('never allows more than the velocity rule in any window, not counting what was returned', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { steps, sent } = await play(sequence, SCRIPT_POLICY);
        const allowed = new Map<string, number>();
        for (const { receipt } of steps) {
          if (receipt['effect'] === 'returned') allowed.delete(receipt['of'] as string);
          const body = sent.find((one) => one['event_id'] === receipt['event_id']);
          const isRefund = (body?.['facts'] as JsonObject | undefined)?.['route'] === 'refunds.create';
          if (!isRefund || receipt['decision'] !== 'allow' || receipt['duplicate_of'] !== undefined) continue;
          const now = receipt['decided_at'] as number;
          allowed.set(receipt['event_id'] as string, now);
          expect([...allowed.values()].filter((time) => time > now - 300_000).length).toBeLessThanOrEqual(3);
        }
      }),
      RUNS,
    );
  });

  it('answers each record with one body, chained to the one before, and tenant time never goes back', async () => {
    await fc.assert(
      fc.asyncProperty(moves, async (sequence) => {
        const { script, steps } = await play(sequence, SCRIPT_POLICY);
        let last: { receipt: JsonObject; bytes: Uint8Array } | undefined;
        for (const { receipt, folded } of steps) {
          if (last !== undefined) {
            expect(receipt['tenant_prev']).toBe(linkTo(last.bytes));
            expect(receipt['tenant_seq']).toBe((last.receipt['tenant_seq'] as number) + 1);
            expect(receipt['decided_at']).toBeGreaterThanOrEqual(last.receipt['decided_at'] as number);
          }
          last = { receipt, bytes: folded.bytes };
        }
        expect(script.envelopes.length - 2).toBe(steps.length);
        expect(tenantGenesis('a', 'b')).not.toBe(tenantGenesis('a', 'c'));
      }),
      RUNS,
    );
  });

  it('admits nothing more when a deny is added', async () => {
    const stricter: readonly Policy[] = [
      {
        ...SCRIPT_POLICY,
        approvals: [{ ...(SCRIPT_POLICY.approvals[0] as Policy['approvals'][number]), id: 'all', routes: ['*'] }],
      },
      { ...SCRIPT_POLICY, routes: SCRIPT_POLICY.routes.filter((route) => route.id !== 'contacts.sync') },
      {
        ...SCRIPT_POLICY,
        rate_limits: [
          ...SCRIPT_POLICY.rate_limits,
          {
            ...(SCRIPT_POLICY.rate_limits[0] as Policy['rate_limits'][number]),
            id: 'more',
            routes: ['*'],
            key: 'tenant',
            window_seconds: 60,
            max_actions: 1,
          },
        ],
      },
    ];
    await fc.assert(
      fc.asyncProperty(moves, fc.constantFrom(...stricter), async (sequence, strict) => {
        const plain = await play(sequence, SCRIPT_POLICY);
        const denied = await play(sequence, strict);
        const firstDifference = plain.steps.findIndex(
          (step, index) => step.receipt['decision'] !== denied.steps[index]?.receipt['decision'],
        );
        // Up to the first difference both states are alike, so there the stricter policy can only have refused.
        if (firstDifference < 0) return;
        const rank = (played: Played): number =>
          ['allow', 'hold', 'block'].indexOf(String(played.steps[firstDifference]?.receipt['decision']));
        expect(rank(denied)).toBeGreaterThan(rank(plain));
      }),
      RUNS,
    );
  });
});
