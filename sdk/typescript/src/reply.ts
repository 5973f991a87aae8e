// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { isReceiptSigned, type SignedReceipt } from './verify-receipt.ts';

/** A reply as it lies in the topic (schemas/json/intents/reply.schema.json). */
export type RawReply = {
  readonly correlation_id: string;
  readonly tenant: string;
  readonly authenticated: boolean;
  readonly intent: { readonly partition: number; readonly offset: number };
  readonly state: ReplyState;
  readonly event_id?: string;
  readonly repeated?: true;
  readonly problem?: Problem;
  readonly answer?: { readonly status: number; readonly content_type?: string; readonly body?: string };
  readonly receipt?: { readonly body: string; readonly signature: SignedReceipt['signature'] };
};

export type ReplyState = 'done' | 'failed' | 'blocked' | 'held' | 'not_forwarded' | 'unknown' | 'refused';

/** RFC 9457, as over HTTP; a held change has `approval_url` where somebody can approve it. */
export type Problem = {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly [member: string]: unknown;
};

export type Reply = {
  readonly state: ReplyState;
  readonly eventId: string | undefined;
  /** It was decided before. */
  readonly isRepeated: boolean;
  readonly problem: Problem | undefined;
  /** What the upstream said; `body` is absent above 262,144 bytes. */
  readonly answer: { readonly status: number; readonly contentType?: string; readonly body?: Uint8Array } | undefined;
  /** Signed by an enforcer of the trust root and about this very intent, where a trust root was given. */
  readonly receipt: Readonly<Record<string, unknown>> | undefined;
};

export type Expected = {
  readonly eventIds: readonly string[];
  readonly tenant: string;
  readonly body: Uint8Array;
  readonly trustRoot: string | undefined;
  readonly nowMs: number;
};

/** Only intake may write replies; what is none of its gives undefined and is passed over, so that it stops no other. */
export function parseReply(value: Uint8Array): RawReply | undefined {
  const raw = objectOf(value) as Partial<RawReply> | undefined;
  const { intent, state, authenticated } = raw ?? {};
  const isReply = typeof state === 'string' && typeof authenticated === 'boolean' && typeof intent?.offset === 'number';
  return isReply ? (raw as RawReply) : undefined;
}

function objectOf(bytes: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** undefined where the receipt is not what the reply makes of it: it was not signed, or is about something else. */
export function readReply(raw: RawReply, expected: Expected): Reply | undefined {
  const receipt = raw.receipt === undefined ? undefined : readReceipt(raw.receipt, raw.event_id, expected);
  if (raw.receipt !== undefined && receipt === undefined) return undefined;
  const { answer } = raw;
  return {
    state: raw.state,
    eventId: raw.event_id,
    isRepeated: raw.repeated === true,
    problem: raw.problem,
    answer:
      answer === undefined
        ? undefined
        : {
            status: answer.status,
            ...(answer.content_type === undefined ? {} : { contentType: answer.content_type }),
            ...(answer.body === undefined ? {} : { body: Buffer.from(answer.body, 'base64') }),
          },
    receipt,
  };
}

function readReceipt(
  { body, signature }: NonNullable<RawReply['receipt']>,
  eventId: string | undefined,
  expected: Expected,
): Record<string, unknown> | undefined {
  const bytes = Buffer.from(body, 'base64');
  const receipt = objectOf(bytes) as Record<string, unknown> | undefined;
  const isOurs =
    receipt !== undefined &&
    eventId !== undefined &&
    expected.eventIds.includes(eventId) &&
    receipt['event_id'] === eventId &&
    receipt['tenant'] === expected.tenant &&
    receipt['payload_digest'] === createHash('sha256').update(expected.body).digest('hex');
  if (!isOurs) return undefined;
  const { trustRoot, nowMs } = expected;
  return trustRoot === undefined || isReceiptSigned(trustRoot, { body: bytes, signature }, nowMs) ? receipt : undefined;
}
