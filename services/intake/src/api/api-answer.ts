// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';
import { problemAnswer, refusalAnswer } from '../gateway/problem-answer.ts';

export function jsonAnswer(status: number, body: JsonObject, headers: Record<string, string> = {}): GatewayAnswer {
  const always = { 'content-type': 'application/json', 'cache-control': 'no-store' };
  return { status, headers: { ...always, ...headers }, body: canonicalJson(body) };
}

/** What an allowed record is answered with: the names by which its receipt is found again. */
export function receiptAnswer(status: number, receipt: DecidedBody, members: JsonObject = {}): GatewayAnswer {
  const body: JsonObject = {
    decision: receipt.decision,
    event_id: receipt.event_id,
    receipt_id: receipt.receipt_id,
    tenant: receipt.tenant,
    tenant_seq: receipt.tenant_seq,
    partition: receipt.partition,
    offset: receipt.offset,
    receipt: receipt as unknown as JsonObject,
    ...members,
  };
  return jsonAnswer(status, body, { 'clyra-event-id': receipt.event_id, 'clyra-receipt': receipt.receipt_id });
}

export function blockedAnswer(receipt: DecidedBody): GatewayAnswer {
  return refusalAnswer(receipt, {
    payloadHash: receipt.change_digest,
    errors: [],
    members: { receipt: receipt as unknown as JsonObject },
  });
}

/** A refusal with its code and words; anything else is a bug and goes on. */
export function errorAnswer(error: unknown): GatewayAnswer {
  if (!(error instanceof ClyraError)) throw error;
  return problemAnswer({ code: error.code, detail: error.message });
}
