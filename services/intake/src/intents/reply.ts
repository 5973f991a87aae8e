// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { problemAnswer } from '../gateway/problem-answer.ts';
import { leadingCode } from '../http-status.ts';
import type { ChangeState, IndexedChange } from '../tenants/change-index.ts';
import type { ShownReceipt } from '../tenants/receipt-shelf.ts';
import { takeAnswer } from './take-answer.ts';

/** What became of an intent (docs/guides/kafka-door.md); `refused`: nothing of it is in the log. */
export type ReplyState = Exclude<ChangeState, 'requested' | 'allowed'> | 'refused';

/** The members of a reply that tell the end; who and what is answered is added by the door. */
export type ReplyEnd = JsonObject & { readonly state: ReplyState };

/** From the gateway's answer to an intent that was just carried out, or refused. */
export async function endOf(answer: GatewayAnswer): Promise<ReplyEnd> {
  const eventId = answer.headers['clyra-event-id'];
  const event = typeof eventId === 'string' ? { event_id: eventId } : {};
  if (answer.problem === undefined) {
    const told = await takeAnswer(answer);
    return { state: answer.status < 400 ? 'done' : 'failed', ...event, answer: told };
  }
  const problem = JSON.parse(String(answer.body)) as JsonObject;
  return { state: stateOf(problem, typeof eventId === 'string'), ...event, problem };
}

/** Codes of what was sent to the upstream and went wrong there or on the way back. */
const FORWARDED = /^CLY_(?:UPSTREAM_TIMEOUT|UPSTREAM_FAILED|RESPONSE_)/;

function stateOf({ decision, code }: JsonObject, isChange: boolean): ReplyState {
  if (!isChange) return 'refused';
  if (decision === 'hold') return 'held';
  if (decision === 'block') return 'blocked';
  return FORWARDED.test(String(code)) ? 'failed' : 'not_forwarded';
}

const KNOWN_CODES = {
  failed: ['CLY_INTENT_FAILED', 'The upstream refused it or broke off; ask there before sending it under a new key.'],
  not_forwarded: ['CLY_INTENT_NOT_FORWARDED', 'Nothing was forwarded, and nothing will be; send a new intent.'],
  unknown: [
    'CLY_INTENT_UNKNOWN',
    'It was allowed, and what came of it is not known here; ask GET /v1/changes/<event>.',
  ],
} as const;

/** Of an intent that was decided before: it came again, or intake stopped before it could answer. */
export function endOfKnown(eventId: string, { state, receiptId, codes }: IndexedChange): ReplyEnd {
  const known = { event_id: eventId, repeated: true };
  if (state === 'done') return { state, ...known };
  const problem = (code: string, detail?: string): JsonObject =>
    parsed(problemAnswer({ code, eventId, receiptId, ...(detail === undefined ? {} : { detail }) }));
  if (state === 'blocked' || state === 'held') return { state, ...known, problem: problem(leadingCode(codes)) };
  const end = state === 'failed' || state === 'not_forwarded' ? state : 'unknown';
  const [code, detail] = KNOWN_CODES[end];
  return { state: end, ...known, problem: problem(code, detail) };
}

export function refusal(code: string, detail?: string): ReplyEnd {
  return { state: 'refused', problem: parsed(problemAnswer({ code, ...(detail === undefined ? {} : { detail }) })) };
}

function parsed({ body }: GatewayAnswer): JsonObject {
  return JSON.parse(String(body)) as JsonObject;
}

/** The bytes that the enforcer signed, and its signature, for whoever checks them against a trust root. */
export function receiptMember(receipt: ShownReceipt | undefined): JsonObject {
  if (receipt?.signature == null) return {};
  const { body, signature } = receipt;
  return { receipt: { body: Buffer.from(body).toString('base64'), signature: parseRecord(signature) } };
}
