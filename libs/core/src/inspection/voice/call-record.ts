// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../canonical/json-value.ts';
import { parseJson } from '../../canonical/parse-json.ts';
import { plainName } from '../plain-name.ts';
import { TIMESTAMP_TOLERANCE_MS } from '../request-signature.ts';
import { type SipIdentity, sipIdentity } from './sip-identity.ts';

/** One line of a partner's call log. */
export type CallRecord = {
  readonly id: string;
  readonly call: string;
  readonly session: string;
  readonly event: CallEvent;
  /** Milliseconds, by the partner's clock. */
  readonly atMs: number;
  readonly windowMs: number | null;
  readonly identity: SipIdentity | null;
  /** Of the record in canonical form. */
  readonly digest: Digest;
  readonly text: string;
};

export type CallEvent = (typeof EVENTS)[number];

const EVENTS = [
  'call.started',
  'disclaimer.played',
  'disclaimer.acknowledged',
  'barge_in.available',
  'barge_in.unavailable',
  'call.heartbeat',
  'call.ended',
] as const;
const MEMBERS = new Set(['id', 'call_id', 'session', 'event', 'at', 'barge_in_window_ms', 'sip']);
const LIMITS = { bytesMax: 16_384, depthMax: 4, valuesMax: 64 };
const TEXT = /^[\x20-\x7e]{1,256}$/;
const SIP_NAME = /^[a-z][a-z-]{0,39}$/;
const SIP_VALUE_LENGTH_MAX = 4_096;
export const CALL_RECORDS_MAX = 1_000;

/** The records of a delivery, a line each; where one cannot be read, its number from 1 and what is wrong with it. */
export function parseCallRecords(
  body: Uint8Array,
  nowMs: number,
): readonly CallRecord[] | { readonly line: number; readonly fault: string } {
  const lines = Buffer.from(body).toString('utf8').replace(/\n$/, '').split('\n');
  if (lines.length > CALL_RECORDS_MAX)
    return { line: CALL_RECORDS_MAX + 1, fault: `more than ${CALL_RECORDS_MAX} lines` };
  const records: CallRecord[] = [];
  for (const [index, line] of lines.entries()) {
    const record = readRecord(line, nowMs);
    if (typeof record === 'string') return { line: index + 1, fault: record };
    records.push(record);
  }
  return records;
}

function readRecord(line: string, nowMs: number): CallRecord | string {
  let value: JsonValue;
  try {
    value = parseJson(Buffer.from(line), LIMITS);
  } catch (error) {
    if (error instanceof JsonError) return `no acceptable JSON (${error.code})`;
    throw error;
  }
  if (!isJsonObject(value)) return 'no object';
  const other = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (other !== undefined) return 'a member that records do not have';
  for (const name of ['id', 'call_id', 'session']) {
    if (typeof value[name] !== 'string' || !TEXT.test(value[name])) return `${name} is no text`;
  }
  return readEvent(value, nowMs);
}

function readEvent(value: JsonObject, nowMs: number): CallRecord | string {
  const { event, at, barge_in_window_ms: windowMs = null, sip } = value;
  if (!EVENTS.includes(event as CallEvent)) return `event is none of ${EVENTS.join(', ')}`;
  if (!isCount(at)) return 'at is no number of milliseconds';
  // A time that is still to come would keep a signal fresh for as long as its sender likes.
  if (at > nowMs + TIMESTAMP_TOLERANCE_MS) return 'at is in the future';
  if (windowMs !== null && !isCount(windowMs)) return 'barge_in_window_ms is no number of milliseconds';
  const identity = sip === undefined ? null : readSip(sip);
  if (identity === undefined) return 'sip is no object of header values, or its identity no PASSporT';
  const text = canonicalJson(value);
  return {
    id: value['id'] as string,
    call: digestOf(value['call_id'] as string),
    session: plainName(value['session'] as string),
    event: event as CallEvent,
    atMs: at,
    windowMs,
    identity,
    digest: digestOf(text),
    text,
  };
}

function isCount(value: JsonValue | undefined): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function readSip(value: JsonValue): SipIdentity | undefined {
  if (!isJsonObject(value)) return undefined;
  const isHeader = ([name, text]: [string, JsonValue | undefined]): boolean =>
    SIP_NAME.test(name) && typeof text === 'string' && text.length <= SIP_VALUE_LENGTH_MAX;
  return Object.entries(value).every(isHeader) ? sipIdentity(value as Readonly<Record<string, string>>) : undefined;
}
