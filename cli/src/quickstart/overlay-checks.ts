// SPDX-License-Identifier: Apache-2.0
import type { Change, Sent } from './gateway-sender.ts';

/** One rule of an overlay: what is sent so that it must answer, and by which code it does. */
export type OverlayCheck = {
  readonly rule: string;
  readonly what: string;
  /** The code of the answer without its `CLY_`: it is the decider's to give, not ours. */
  readonly expects: string;
  /** Sent before it, one after the other; each of them passes, or fails at the upstream where `failing`. */
  readonly before: readonly Change[];
  readonly failing?: true;
  readonly change: Change;
};

export type CheckResult = { readonly check: OverlayCheck; readonly answer: Sent; readonly fired: boolean };

const ACTIONS = 5;
const ENOUGH_FOR_A_RATE = 20;
const EUR = 'EUR';

/** The checks for the rules of genai_risk.overlay.yaml. Each has an actor or run of its own: none counts for another. */
export function overlayChecks(runId: string): readonly OverlayCheck[] {
  const asks = requests(runId);
  return [...repeats(asks), ...limits(asks), ...stops(asks, runId)];
}

type Requests = {
  refund(name: string, amountCents: number, actor: string): Change;
  limit(name: string, actor: string): Change;
};

function requests(runId: string): Requests {
  const change = (target: string, name: string, body: object): Omit<Change, 'actor'> => ({
    target: `${target}/${name}`,
    body: JSON.stringify(body),
    idempotencyKey: `${runId}-${name}`,
  });
  return {
    refund: (name, amountCents, actor) => ({
      ...change('/refunds', name, { payee: 'P-1007', amount_cents: amountCents, currency: EUR }),
      actor: `${actor}-${runId}`,
    }),
    limit: (name, actor) => ({ ...change('/limits', name, { limit_cents: 50_000 }), actor: `${actor}-${runId}` }),
  };
}

function repeats({ refund, limit }: Requests): OverlayCheck[] {
  const twice = (rule: string, what: string, change: Change): OverlayCheck => {
    return { rule: `idempotency ${rule}`, what, expects: 'IDEMPOTENCY_REPEAT', before: [change], change };
  };
  return [
    twice('/refunds/*', 'the same refund twice', refund('o-1', 1_250, 'twice')),
    twice('/limits/*', 'the same limit twice', limit('a-1', 'twice')),
  ];
}

function limits({ refund }: Requests): OverlayCheck[] {
  return [
    {
      rule: 'rate_limits /refunds/*, max_actions',
      what: `refund ${ACTIONS + 1} of one actor within five minutes`,
      expects: 'VELOCITY_EXCEEDED',
      before: many(ACTIONS, (name) => refund(`fast-${name}`, 100, 'fast')),
      change: refund('fast-more', 100, 'fast'),
    },
    {
      rule: 'rate_limits /refunds/*, max_amount_cents',
      what: '1,200.00 in two refunds',
      expects: 'VELOCITY_AMOUNT_EXCEEDED',
      before: [refund('big-1', 60_000, 'big')],
      change: refund('big-2', 60_000, 'big'),
    },
  ];
}

function stops({ refund, limit }: Requests, runId: string): OverlayCheck[] {
  return [
    {
      rule: 'tenant_fences, cross_check',
      what: 'another tenant in the header than in the credential',
      expects: 'FENCE_TENANT',
      before: [],
      change: { ...refund('fence', 100, 'stray'), tenant: 'globex' },
    },
    {
      rule: 'tenant_fences, required_headers',
      what: 'a signed request without its tenant',
      expects: 'FENCE_HEADER',
      before: [],
      change: { ...refund('nameless', 100, 'nameless'), tenant: '' },
    },
    {
      rule: 'kill_switch, error_rate',
      what: `one more after ${ENOUGH_FOR_A_RATE} changes of a run that all failed`,
      expects: 'KILL_SWITCH_TRIPPED',
      before: many(ENOUGH_FOR_A_RATE, (name) => ({ ...limit(`closed-${name}`, 'failing'), runId })),
      failing: true,
      change: { ...limit('a-2', 'failing'), runId },
    },
  ];
}

function many(count: number, make: (name: string) => Change): Change[] {
  return Array.from({ length: count }, (_, index) => make(String(index + 1)));
}

export type CheckOptions = {
  readonly send: (change: Change) => Promise<Sent>;
  /** Resolves when the log knows how this change ended. */
  readonly settled: (sent: Sent) => Promise<void>;
};

/** Runs them one after the other. What comes before a check must pass, or the check would show nothing. */
export async function runOverlayChecks(
  checks: readonly OverlayCheck[],
  { send, settled }: CheckOptions,
): Promise<readonly CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    const prepare = async (change: Change): Promise<boolean> => {
      const sent = await send(change);
      await settled(sent);
      return check.failing === true ? sent.status === 404 : sent.status < 300;
    };
    // What fails is sent at once: a rate is measured over a minute, which a busy machine must not use up.
    const prepared = check.failing === true ? await Promise.all(check.before.map(prepare)) : [];
    if (check.failing !== true) for (const change of check.before) prepared.push(await prepare(change));
    const isReady = prepared.every((one) => one);
    const answer = await send(check.change);
    results.push({ check, answer, fired: isReady && answer.problem['code'] === `CLY_${check.expects}` });
  }
  return results;
}
