// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { AdapterKind } from '@clyra/core/policy/adapters';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';

/** What became of one change of a delivery, in the words of its sender: whether to send it again. */
export type DeliveryResult = {
  readonly result: 'applied' | 'applied_before' | 'refused' | 'retry';
  readonly status: number;
  readonly code?: string;
  readonly event_id?: string;
  readonly receipt_id?: string;
};

/** Statuses of ours that time, people or the log will change. */
const PASSING: ReadonlySet<number> = new Set([423, 428, 429, 502, 503, 504]);
const PASSING_UPSTREAM: ReadonlySet<number> = new Set([408, 425, 429]);
const HOLD_RETRY_SECONDS = '30';

/**
 * The status that makes each vendor send again. All of them do so after 503; of 429 Segment and Standard Webhooks
 * say nothing certain, and a status that is taken for the end would lose the change.
 */
const SLOW_DOWN: Readonly<Record<AdapterKind, number>> = {
  hightouch: 429,
  rudderstack: 429,
  segment: 503,
  generic: 503,
};
const AGAIN = 503;
/** Ends it for every vendor that tells permanent failures from others. */
const REFUSED = 422;
/** 4xx statuses that some vendor sends again after. */
const RETRIED_4XX: ReadonlySet<number> = new Set([408, 409, 410, 423, 425, 428, 429]);

export function resultOf(answer: GatewayAnswer): DeliveryResult {
  const { status, problem, headers } = answer;
  const ids = {
    ...(typeof headers['clyra-event-id'] === 'string' ? { event_id: headers['clyra-event-id'] } : {}),
    ...(typeof headers['clyra-receipt'] === 'string' ? { receipt_id: headers['clyra-receipt'] } : {}),
  };
  if (problem === undefined) return { result: upstreamResult(status), status, ...ids };
  return { result: ownResult(status, problem), status, code: problem.code, ...ids };
}

function upstreamResult(status: number): DeliveryResult['result'] {
  if (status < 400) return 'applied';
  return status >= 500 || PASSING_UPSTREAM.has(status) ? 'retry' : 'refused';
}

function ownResult(status: number, { code, outcome }: NonNullable<GatewayAnswer['problem']>): DeliveryResult['result'] {
  // The retry of something that was done is what the vendor sends when our first answer was lost.
  if (code === 'CLY_IDEMPOTENCY_REPEAT') return outcome === 'done' ? 'applied_before' : 'refused';
  if (code === 'CLY_IDEMPOTENCY_IN_FLIGHT' || code === 'CLY_IDEMPOTENCY_UNKNOWN') return 'retry';
  return PASSING.has(status) ? 'retry' : 'refused';
}

/** The answer to a delivery of one change: the upstream's where it has one, with a status that its vendor understands. */
export function singleAnswer(kind: AdapterKind, answer: GatewayAnswer): GatewayAnswer {
  const one = resultOf(answer);
  const { result } = one;
  if (result === 'applied') return answer;
  if (result === 'applied_before') return { ...applied([one]), headers: { ...answer.headers, ...JSON_TYPE } };
  const status = statusFor(kind, [one]);
  if (result === 'refused' || answer.headers['retry-after'] !== undefined) return { ...answer, status };
  return { ...answer, status, headers: { ...answer.headers, 'retry-after': retryAfter([one]) } };
}

/** The answer to a batch: one status for all of it, and what became of each. A retry of all of it repeats nothing. */
export function batchAnswer(kind: AdapterKind, results: readonly DeliveryResult[]): GatewayAnswer {
  const isOver = results.every(({ result }) => result !== 'retry');
  if (isOver && results.every(({ result }) => result !== 'refused')) return applied(results);
  const code = isOver ? 'CLY_ACTIVATION_REFUSED' : 'CLY_ACTIVATION_RETRY';
  const detail = isOver
    ? 'Some records were refused for good; the others were applied and are known if they come again.'
    : 'Send the same delivery again: records that were applied are known and have no second effect.';
  const members = { results: results.map((one, index) => ({ index, ...one })) };
  const headers = isOver ? {} : { 'retry-after': retryAfter(results) };
  return { ...problemAnswer({ code, detail, members, headers }), status: statusFor(kind, results) };
}

const JSON_TYPE = { 'content-type': 'application/json' };

function applied(results: readonly DeliveryResult[]): GatewayAnswer {
  const body = canonicalJson({ results: results.map((one, index) => ({ index, ...one })) });
  return { status: 200, headers: { ...JSON_TYPE, 'cache-control': 'no-store' }, body };
}

function statusFor(kind: AdapterKind, results: readonly DeliveryResult[]): number {
  const waiting = results.filter(({ result }) => result === 'retry');
  if (waiting.length > 0) return waiting.every(({ status }) => status === 429) ? SLOW_DOWN[kind] : AGAIN;
  const statuses = new Set(results.filter(({ result }) => result === 'refused').map(({ status }) => status));
  const [only = REFUSED] = statuses;
  return statuses.size === 1 && only >= 400 && only < 500 && !RETRIED_4XX.has(only) ? only : REFUSED;
}

function retryAfter(results: readonly DeliveryResult[]): string {
  return results.some(({ status }) => status === 428) ? HOLD_RETRY_SECONDS : '1';
}
