// SPDX-License-Identifier: Apache-2.0
import { mintEventId } from '@clyra/intake/log/event-id';
import { BAD_INPUT } from '@clyra/intake/test-support/bad-input-table';
import { systemRandom } from '@clyra/runtime/system-random';
import { COMMAND_ROWS } from './bad-commands.ts';
import type { Row } from './bad-input-row.ts';
import { GOOD_BODY, paddedBody, type RawPlan, rawRequest } from './raw-request.ts';

const MIB = 1_048_576;
const LATE_MS = 400_000;

type Given = readonly [name: string, status: number, code: string | undefined, plan: RawPlan];

/** Answered before anybody is known, and so in nobody's log. */
const EDGE: readonly Given[] = [
  ['no signature at all', 401, 'CLY_AUTH_MISSING', { isSigned: false }],
  ['a signature in capitals', 401, 'CLY_AUTH_INVALID', { headers: { 'x-clyra-signature': 'A'.repeat(64) } }],
  ['a timestamp in words', 401, 'CLY_AUTH_MALFORMED', { headers: { 'x-clyra-timestamp': 'now' } }],
  ['another tenant than was signed', 401, 'CLY_AUTH_INVALID', { headers: { 'x-tenant-id': 'rival' } }],
  ['another actor than was signed', 401, 'CLY_AUTH_INVALID', { headers: { 'x-actor-id': 'boss' } }],
  ['another run than was signed', 401, 'CLY_AUTH_INVALID', { headers: { 'x-clyra-run-id': 'other' } }],
  ['another idempotency key than was signed', 401, 'CLY_AUTH_INVALID', { headers: { 'idempotency-key': 'other' } }],
  ['a tenant name that is none', 401, 'CLY_AUTH_MALFORMED', { sign: { tenant: 'two words' } }],
  ['a space in the target', 400, 'CLY_REQUEST_SYNTAX', { target: '/v1/refunds/r 1' }],
  ['a chunk size that is none', 400, 'CLY_REQUEST_SYNTAX', chunked('zz\r\n{}\r\n0\r\n\r\n')],
  ['a trailer announced', 400, 'CLY_REQUEST_UPGRADE', { headers: { trailer: 'x-late' } }],
];

/** The caller is known, so that it was tried is in the tenant's log. */
const RECORDED: readonly Given[] = [
  ['a dot segment in escapes', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds/%2e%2e/notes' }],
  ['a slash in escapes', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds%2Fr-1' }],
  ['a NUL in escapes', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds/r-1%00' }],
  ['an escape of an escape', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds/%252e' }],
  ['a dot in overlong UTF-8', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds/%c0%ae' }],
  ['a fragment', 400, 'CLY_ROUTE_TARGET', { target: '/v1/refunds/r-1#x' }],
  ['another case of the path', 403, 'CLY_ROUTE_UNKNOWN', { target: '/V1/refunds/r-1' }],
  ['a slash at the end', 403, 'CLY_ROUTE_UNKNOWN', { target: '/v1/refunds/r-1/' }],
  ['a digest of another kind', 401, 'CLY_AUTH_INVALID', { headers: { 'content-digest': 'sha-512=:AAAA:' } }],
  ['one byte over 1 MiB', 413, 'CLY_BODY_TOO_LARGE', { body: paddedBody(MIB + 1) }],
  ['one byte over 1 MiB in chunks', 413, 'CLY_BODY_TOO_LARGE', inChunks(paddedBody(MIB + 1))],
  ['a number below a double', 400, 'CLY_JSON_NUMBER', { body: '{"account":"a","amount":-1e400}' }],
  ['a number with a leading zero', 400, 'CLY_JSON_SYNTAX', { body: '{"account":"a","amount":01}' }],
  ['no number', 400, 'CLY_JSON_SYNTAX', { body: '{"account":"a","amount":NaN}' }],
  ['a control character in a string', 400, 'CLY_JSON_SYNTAX', { body: '{"account":"a\u0001","amount":1}' }],
  ['a noncharacter', 400, 'CLY_JSON_STRING', { body: '{"account":"\uffff","amount":1}' }],
  ['33 objects in one another', 400, 'CLY_JSON_DEPTH', { body: `${'{"a":'.repeat(33)}1${'}'.repeat(33)}` }],
  ['a body that stops in the middle', 400, 'CLY_JSON_SYNTAX', { body: '{"account":"a","amo' }],
  ['only white space', 400, 'CLY_JSON_SYNTAX', { body: '   ' }],
  ['a list where an object is due', 422, 'CLY_SCHEMA_INVALID', { body: '[1]' }],
  ['null', 422, 'CLY_SCHEMA_INVALID', { body: 'null' }],
  ['an amount of half', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","amount":0.5}' }],
  ['a form', 415, 'CLY_BODY_MEDIA_TYPE', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }],
  ['JSON sequences', 415, 'CLY_BODY_MEDIA_TYPE', { headers: { 'content-type': 'application/json-seq' } }],
  ['brotli', 415, 'CLY_BODY_ENCODING', { headers: { 'content-encoding': 'br' } }],
  ['an idempotency key with a space', 400, 'CLY_IDEMPOTENCY_SYNTAX', { sign: { idempotencyKey: 'two words' } }],
  ['an audience without approval', 428, 'CLY_APPROVAL_REQUIRED', { target: '/v1/audiences' }],
];

/** The other side of each limit: these pass, or the limit would be somewhere else. */
const SOUND: readonly Given[] = [
  ['one byte under 1 MiB', 201, undefined, { body: paddedBody(MIB - 1) }],
  ['1 MiB', 201, undefined, { body: paddedBody(MIB) }],
  ['a body in chunks', 201, undefined, inChunks(GOOD_BODY)],
  ['a charset that JSON has', 201, undefined, { headers: { 'content-type': 'application/json; charset=UTF-8' } }],
  ['a key in quotes', 201, undefined, { sign: { idempotencyKey: '"quoted key of one row"' } }],
];

const API: readonly Given[] = [
  ['a run without a signature', 401, 'CLY_AUTH_MISSING', { target: '/v1/runs', body: '{}', isSigned: false }],
  ['a run with a member too many', 400, 'CLY_RECORD_SHAPE', { target: '/v1/runs', body: '{"more":1}' }],
  ['a run with a name that is none', 400, 'CLY_RECORD_SHAPE', { target: '/v1/runs', body: '{"run_id":"a b"}' }],
  ['a run whose session has no name', 400, 'CLY_RECORD_SHAPE', run(sessionOf(''))],
  ['a run with a name of 257 characters', 400, 'CLY_RECORD_SHAPE', run(sessionOf('x'.repeat(257)))],
  ['a run with names of nothing', 400, 'CLY_RECORD_SHAPE', run('{"correlation":{}}')],
  ['a run that is no JSON', 400, 'CLY_JSON_SYNTAX', { target: '/v1/runs', body: '{run}' }],
  ['a run for another tenant', 403, 'CLY_FENCE_TENANT', { target: '/v1/runs', body: '', sign: { tenant: 'rival' } }],
  ['a run for another actor', 403, 'CLY_FENCE_ACTOR', { target: '/v1/runs', body: '', sign: { actor: 'boss' } }],
  ['a change nobody made', 404, 'CLY_CHANGE_NOT_FOUND', lookUp(mintEventId(Date.now(), systemRandom))],
  ['a change of long ago', 410, 'CLY_CHANGE_GONE', lookUp('01a00000-0000-7001-8c14-f19a4b2081e2')],
  ['a change id that is none', 404, 'CLY_CHANGE_NOT_FOUND', lookUp('r-1')],
  ['a change without a signature', 401, 'CLY_AUTH_MISSING', { ...lookUp('r-1'), isSigned: false }],
];

const row =
  (listener: Row['listener'], receipt: boolean) =>
  ([name, status, code, plan]: Given): Row => ({
    name,
    listener,
    status,
    code,
    receipt,
    bytes: (context) => [rawRequest(plan, context)],
  });

/** Each of these is about a request before it. */
const SEQUENCES: readonly Row[] = [
  second(['a nonce again', 401, 'CLY_AUTH_REPLAYED'], (sign) => [{ sign }, { sign }]),
  second(['a nonce again with another request', 401, 'CLY_AUTH_REPLAYED'], (sign) => [
    { sign },
    { sign: { ...sign, idempotencyKey: `other-${sign.idempotencyKey}` } },
  ]),
  second(['a repeated idempotency key', 409, 'CLY_IDEMPOTENCY_REPEAT'], ({ idempotencyKey }) => [
    { sign: { idempotencyKey } },
    { sign: { idempotencyKey } },
  ]),
  second(['a key with another body', 422, 'CLY_IDEMPOTENCY_MISMATCH'], ({ idempotencyKey }) => [
    { sign: { idempotencyKey } },
    { sign: { idempotencyKey }, body: '{"account":"a-1","amount":6}' },
  ]),
  {
    name: 'a request that is signed for later',
    listener: 'gateway',
    status: 401,
    code: 'CLY_AUTH_TIMESTAMP',
    receipt: false,
    bytes: (context) => [rawRequest({ sign: { nowMs: context.nowMs + LATE_MS } }, context)],
  },
  {
    name: 'bytes of TLS',
    listener: 'gateway',
    status: 400,
    code: 'CLY_REQUEST_SYNTAX',
    receipt: false,
    bytes: () => [Buffer.from('16030100c8010000c40303', 'hex')],
  },
  {
    name: 'a run that is closed and was never opened',
    listener: 'api',
    status: 409,
    code: 'CLY_RUN_UNKNOWN',
    receipt: true,
    bytes: (context) => [rawRequest({ target: '/v1/runs/never-opened/close', body: '' }, context)],
  },
];

/** Every HTTP row: what intake's own table holds, run here through real parts, and more. */
export const ROWS: readonly Row[] = [
  ...BAD_INPUT.map(
    ({ name, status, code, receipt, bytes }): Row => ({
      name,
      listener: 'gateway',
      status,
      code,
      receipt,
      bytes: (context) => [bytes(context)],
    }),
  ),
  ...EDGE.map(row('gateway', false)),
  ...RECORDED.map((given) => row('gateway', given[2] !== 'CLY_AUTH_INVALID')(given)),
  ...SOUND.map(row('gateway', true)),
  ...API.map(row('api', false)),
  ...SEQUENCES,
  ...COMMAND_ROWS,
];

function chunked(bytes: string): RawPlan {
  return { framed: { header: 'Transfer-Encoding: chunked', bytes } };
}

function inChunks(body: string): RawPlan {
  const half = Math.floor(body.length / 2);
  const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  return { body, ...chunked(`${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`) };
}

function run(body: string): RawPlan {
  return { target: '/v1/runs', body };
}

function sessionOf(name: string): string {
  return JSON.stringify({ correlation: { session_id: name } });
}

function lookUp(eventId: string): RawPlan {
  return { method: 'GET', target: `/v1/changes/${eventId}`, body: '' };
}

/** The second of two requests; `plans` makes both from a nonce and a key that were never used. */
function second(
  [name, status, code]: readonly [string, number, string],
  plans: (own: { readonly nonce: string; readonly idempotencyKey: string }) => readonly [RawPlan, RawPlan],
): Row {
  return {
    name,
    listener: 'gateway',
    status,
    code,
    receipt: true,
    bytes: (context) => {
      const made = plans({ nonce: context.unique(), idempotencyKey: context.unique() });
      return made.map((plan) => rawRequest(plan, context));
    },
  };
}
