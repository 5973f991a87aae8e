// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { DecidedBody, Reason, VelocityField } from '@clyra/core/enforcement/receipt-body';
import { leadingCode, statusOfCode } from '../http-status.ts';
import type { GatewayAnswer } from './gateway-request.ts';

const RETRY_SECONDS = '1';

export type Problem = {
  readonly code: string;
  /** What the caller can do next; never a value of the payload. */
  readonly detail?: string | undefined;
  readonly eventId?: string | undefined;
  readonly receiptId?: string | undefined;
  readonly members?: JsonObject;
  /** Of the request that was repeated. */
  readonly outcome?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
};

/** RFC 9457 problem details. */
export function problemAnswer(problem: Problem): GatewayAnswer {
  const { code, eventId, receiptId } = problem;
  const { status, title } = statusOfCode(code);
  const body: JsonObject = {
    type: `urn:clyra:problem:${code}`,
    title,
    status,
    code,
    ...(problem.detail === undefined ? {} : { detail: problem.detail }),
    ...(eventId === undefined ? {} : { instance: `/v1/changes/${eventId}`, event_id: eventId }),
    ...(receiptId === undefined ? {} : { receipt_id: receiptId }),
    ...problem.members,
  };
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(eventId === undefined ? {} : { 'clyra-event-id': eventId }),
      ...(receiptId === undefined ? {} : { 'clyra-receipt': receiptId }),
      ...(status === 503 ? { 'retry-after': RETRY_SECONDS } : {}),
      ...problem.headers,
    },
    body: canonicalJson(body),
    problem: { code, outcome: problem.outcome },
  };
}

/** What the caller may see of the inspection, and further members of the answer. */
export type RefusalFacts = {
  readonly payloadHash: string;
  readonly errors: readonly { readonly pointer: string; readonly rule: string }[];
  readonly members?: JsonObject;
};

/** The answer to a change that was blocked or held. */
export function refusalAnswer(receipt: DecidedBody, facts: RefusalFacts): GatewayAnswer {
  const code = leadingCode(receipt.reasons.map((reason) => reason.code));
  const { idempotency } = receipt;
  const leading = receipt.reasons.find((reason) => reason.code === code);
  return problemAnswer({
    code,
    detail: DETAILS[code],
    eventId: receipt.event_id,
    receiptId: receipt.receipt_id,
    outcome: idempotency?.outcome,
    members: {
      decision: receipt.decision,
      reasons: receipt.reasons.map(reasonMember),
      ...(leading === undefined ? {} : { threat_class: leading.threat_class, owasp: leading.owasp }),
      ...(code === 'CLY_SCHEMA_INVALID'
        ? { errors: facts.errors.map(({ pointer, rule }) => ({ pointer, detail: rule })) }
        : {}),
      ...(receipt.decision === 'hold' ? { payload_hash: facts.payloadHash } : {}),
      ...(receipt.approval === undefined ? {} : { approval: receipt.approval as unknown as JsonObject }),
      ...(idempotency?.event_id === undefined ? {} : { first: idempotency as unknown as JsonObject }),
      ...facts.members,
    },
    headers: {
      ...rateLimitHeaders(receipt.velocity ?? []),
      ...(code === 'CLY_IDEMPOTENCY_IN_FLIGHT' ? { 'retry-after': RETRY_SECONDS } : {}),
      ...(code === 'CLY_IDEMPOTENCY_REPEAT' ? { 'idempotent-replayed': 'true' } : {}),
      ...(code === 'CLY_VELOCITY_EXCEEDED' ? { 'retry-after': retryAfter(receipt.velocity ?? []) } : {}),
    },
  });
}

const DETAILS: Readonly<Record<string, string>> = {
  CLY_APPROVAL_REQUIRED: 'Have the request with this payload_hash approved, then send it again unchanged.',
  CLY_IDEMPOTENCY_IN_FLIGHT: 'Send the same request again after Retry-After to learn its outcome.',
  CLY_IDEMPOTENCY_REPEAT: 'The first request stands under `first`; no second effect was made.',
  CLY_IDEMPOTENCY_UNKNOWN: 'Ask for the change under `first`; an operator resolves it.',
  CLY_IDEMPOTENCY_MISSING: 'Send an Idempotency-Key header; repeat it unchanged when you repeat the request.',
  CLY_AUTH_REPLAYED: 'Sign each request with a new nonce.',
  CLY_KILL_SWITCH: 'An operator stopped these changes; they go on when two persons lift the switch.',
  CLY_KILL_SWITCH_TRIPPED:
    'A threshold of the policy was reached; these changes go on when the time in the receipt is over.',
  CLY_LOOP_COOL_OFF: 'Wait until the cool-off is over, and look at what repeats itself.',
  CLY_RUN_UNKNOWN: 'Open the run with POST /v1/runs first, or leave the run id out.',
};

function reasonMember(reason: Reason): JsonObject {
  const { code, effect, rule, threat_class: threatClass, owasp, mitre_id: mitreId, detail } = reason;
  return {
    code,
    effect,
    rule,
    threat_class: threatClass,
    owasp,
    ...(mitreId === undefined ? {} : { mitre_id: mitreId }),
    ...(detail === undefined ? {} : { detail }),
  };
}

/** draft-ietf-httpapi-ratelimit-headers-10: every policy that counts actions, and the state of the tightest. */
export function rateLimitHeaders(fields: readonly VelocityField[]): Record<string, string> {
  const [first, ...others] = fields.filter(({ limit }) => limit !== undefined);
  if (first === undefined) return {};
  const left = ({ remaining }: VelocityField): number => remaining ?? 0;
  const tightest = others.reduce((least, field) => (left(field) < left(least) ? field : least), first);
  const name = (field: VelocityField): string => `"${field.rule}"`;
  const policies = [first, ...others].map((field) => `${name(field)};q=${field.limit};w=${field.window_seconds}`);
  return {
    'ratelimit-policy': policies.join(', '),
    ratelimit: `${name(tightest)};r=${left(tightest)};t=${Math.ceil(tightest.reset_ms / 1_000)}`,
  };
}

function retryAfter(fields: readonly VelocityField[]): string {
  const waits = fields.filter((field) => field.remaining === 0).map((field) => field.reset_ms);
  return String(Math.max(1, Math.ceil(Math.max(0, ...waits) / 1_000)));
}
