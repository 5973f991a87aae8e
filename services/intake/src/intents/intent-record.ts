// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { ID } from '@clyra/core/change/shape';
import { emptyBody, type ReceivedBody } from '@clyra/core/inspection/check-body';
import { INTENT_HEADERS, type IntentProof, intentEventId } from '@clyra/core/inspection/intent';
import { SIGNATURE_HEADERS } from '@clyra/core/inspection/request-signature';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { GatewayRequest, RequestIntent } from '../gateway/gateway-request.ts';
import { RequestHeaders } from '../gateway/request-headers.ts';
import { shapeFault } from '../gateway/request-shape.ts';

/** A record of clyra.intents that is well-formed; who sent it is not proved yet. */
export type ReadIntent = {
  readonly request: GatewayRequest & { readonly intent: RequestIntent };
  readonly correlationId: string;
  readonly signedAtMs: number;
  readonly expiresAtMs: number | undefined;
};

/** What can be said of one that is not: whom it may be answered to, if anybody. */
export type UnreadIntent = {
  readonly fault: string;
  readonly tenant: string | undefined;
  readonly correlationId: string | undefined;
};

/** Thirteen digits: from 2001 to 2286, in milliseconds. */
const TIME_MS = /^[1-9][0-9]{12}$/;
const SINGLE = Object.values(INTENT_HEADERS);
const NOBODY = { isGone: () => false, onGone: () => {} };

/** `holdMs` is how long the receipt of such an intent is waited for. */
export function readIntent(record: LogRecord, holdMs: number): ReadIntent | UnreadIntent {
  const raw = rawHeaders(record);
  const headers = new RequestHeaders(raw ?? []);
  const unread = (fault: string): UnreadIntent => ({
    fault,
    tenant: headers.one(SIGNATURE_HEADERS.tenant),
    correlationId: idIn(headers),
  });
  if (raw === undefined || SINGLE.some((name) => headers.all(name).length > 1)) return unread('CLY_INTENT_HEADERS');
  const correlationId = idIn(headers);
  if (correlationId === undefined) return unread('CLY_INTENT_CORRELATION');
  const expiresAt = headers.one(INTENT_HEADERS.expiresAt) ?? '';
  if (expiresAt !== '' && !TIME_MS.test(expiresAt)) return unread('CLY_INTENT_EXPIRY');
  const timestamp = headers.one(SIGNATURE_HEADERS.timestamp) ?? '';
  if (!TIME_MS.test(timestamp)) return unread('CLY_AUTH_MALFORMED');
  const proof: IntentProof = {
    keyId: headers.one(SIGNATURE_HEADERS.keyId) ?? '',
    signature: headers.one(SIGNATURE_HEADERS.signature) ?? '',
    timestampMs: Number(timestamp),
  };
  const keyDigest = record.key === null ? '' : digestOf(record.key);
  const intent: RequestIntent = {
    seal: { correlationId, expiresAt, keyDigest },
    eventIds: [intentEventId(proof, 0), intentEventId(proof, 1)],
    holdMs,
  };
  const request = requestOf({ headers, intent, value: record.value });
  const fault = shapeFault(request);
  if (fault !== undefined) return unread(fault);
  return {
    request,
    correlationId,
    signedAtMs: proof.timestampMs,
    expiresAtMs: expiresAt === '' ? undefined : Number(expiresAt),
  };
}

type RequestParts = {
  readonly headers: RequestHeaders;
  readonly intent: RequestIntent;
  readonly value: Uint8Array | null;
};

function requestOf({ headers, intent, value }: RequestParts): ReadIntent['request'] {
  const body = bodyOf(value);
  return {
    method: headers.one(INTENT_HEADERS.method) ?? '',
    target: headers.one(INTENT_HEADERS.target) ?? '',
    headers,
    intent,
    readBody: async (bytesMax) => (body.size > bytesMax ? { ...body, bytes: new Uint8Array(), tooLarge: true } : body),
    streamBody: async function* () {
      if (body.size > 0) yield body.bytes;
    },
    client: NOBODY,
  };
}

function bodyOf(value: Uint8Array | null): ReceivedBody {
  if (value === null || value.length === 0) return emptyBody();
  return { bytes: value, digest: digestOf(value), size: value.length, tooLarge: false };
}

function idIn(headers: RequestHeaders): string | undefined {
  const id = headers.one(INTENT_HEADERS.correlationId);
  return id !== undefined && ID.test(id) ? id : undefined;
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Names and values as HTTP has them, with a host, which a record has no use for; undefined where one is no text. */
function rawHeaders({ headers = [] }: LogRecord): string[] | undefined {
  const raw = ['host', 'kafka'];
  for (const [name, value] of headers) {
    const text = value === null ? undefined : textOf(value);
    if (text === undefined) return undefined;
    raw.push(name, text);
  }
  return raw;
}

function textOf(value: Uint8Array): string | undefined {
  try {
    return utf8.decode(value);
  } catch {
    return undefined;
  }
}
