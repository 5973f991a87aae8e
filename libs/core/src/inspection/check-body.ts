// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { JsonError } from '../canonical/json-error.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import { BODY_LIMITS, parseJson } from '../canonical/parse-json.ts';

/** The body as it was received: whole, or cut off at the limit and discarded. */
export type ReceivedBody = {
  /** Empty where the body was too large. */
  readonly bytes: Uint8Array;
  /** Of the bytes that were read. */
  readonly digest: Digest;
  /** Bytes read. */
  readonly size: number;
  readonly tooLarge: boolean;
};

export type BodyHeaders = {
  readonly contentType: string | null;
  readonly contentEncoding: string | null;
  /** The digest that the caller signed, or null where there is no body. */
  readonly claimedDigest: Digest | null;
};

export type BodyFinding = {
  /** `ok`, or what is wrong. */
  readonly content: string;
  readonly value: JsonValue | undefined;
  readonly canonicalDigest: Digest | null;
};

const JSON_TYPE = /^application\/(?:json|[a-z0-9.+-]{1,64}\+json)$/;

/** Lower-case type and subtype without parameters, or the empty text. */
export function mediaType(contentType: string | null): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

export function emptyBody(): ReceivedBody {
  return { bytes: new Uint8Array(), digest: digestOf(''), size: 0, tooLarge: false };
}

/** What keeps bytes from being this request's body at all, before anybody reads them; undefined where nothing does. */
export function frameFault(body: Omit<ReceivedBody, 'bytes'>, headers: BodyHeaders): string | undefined {
  if (body.tooLarge) return 'CLY_BODY_TOO_LARGE';
  if (body.size > 0 && headers.claimedDigest === null) return 'CLY_BODY_DIGEST_MISSING';
  if (headers.claimedDigest !== null && headers.claimedDigest !== body.digest) return 'CLY_BODY_DIGEST_MISMATCH';
  const encoding = headers.contentEncoding?.trim().toLowerCase() ?? 'identity';
  return encoding === 'identity' ? undefined : 'CLY_BODY_ENCODING';
}

/** Lines of JSON go by several names; each of them says so. */
const LINES_TYPE = /^application\/(?:x-ndjson|ndjson|jsonl|x-jsonlines|json-lines)$/;

/** Whether the headers name the form that the route's bodies have. */
export function hasMediaType(contentType: string | null, form: 'json' | 'ndjson' | 'items'): boolean {
  return (form === 'ndjson' ? LINES_TYPE : JSON_TYPE).test(mediaType(contentType)) && hasJsonCharset(contentType ?? '');
}

/** Strict reading of the body. `schemaWanted` makes JSON the only acceptable type. */
export function checkBody(body: ReceivedBody, headers: BodyHeaders, schemaWanted: boolean): BodyFinding {
  const fault = frameFault(body, headers);
  if (fault !== undefined) return refused(fault);
  if (body.size === 0 && !schemaWanted) return { content: 'ok', value: undefined, canonicalDigest: null };
  const isJson = hasMediaType(headers.contentType, 'json');
  if (!isJson) {
    return schemaWanted ? refused('CLY_BODY_MEDIA_TYPE') : { content: 'ok', value: undefined, canonicalDigest: null };
  }
  try {
    const value = parseJson(body.bytes, BODY_LIMITS);
    return { content: 'ok', value, canonicalDigest: digestOf(canonicalJson(value)) };
  } catch (error) {
    if (error instanceof JsonError) return refused(error.code);
    throw error;
  }
}

/** JSON is UTF-8 (RFC 8259 §8.1): another charset parameter means that somebody reads the bytes differently. */
function hasJsonCharset(contentType: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^";\s]*)"?/i.exec(contentType)?.[1];
  return charset === undefined || charset.toLowerCase() === 'utf-8';
}

function refused(content: string): BodyFinding {
  return { content, value: undefined, canonicalDigest: null };
}
