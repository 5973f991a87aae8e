// SPDX-License-Identifier: Apache-2.0
import type { RequestToSign } from '@clyra/core/inspection/request-signature';
import { type BadInputContext, signedHeaders } from './signed-headers.ts';

export type BadInputRow = {
  readonly name: string;
  readonly bytes: (context: BadInputContext) => Uint8Array;
  readonly status: number;
  readonly code: string;
  /** Whether the refusal is a change with a receipt in the caller's log. */
  readonly receipt: boolean;
};

type Plan = {
  readonly sign?: Partial<RequestToSign>;
  readonly body?: string | Uint8Array;
  readonly contentType?: string | null;
  /** Sent in place of what was signed. */
  readonly sentBody?: string | Uint8Array;
  readonly sentTarget?: string;
  readonly requestLine?: string;
  readonly host?: readonly string[];
  /** Raw header lines, after the signed ones. */
  readonly lines?: readonly string[];
  readonly without?: readonly string[];
  readonly length?: string | null;
};

const GOOD = '{"account":"a-1","amount":5}';
const TARGET = '/v1/refunds/r-1';

function build(plan: Plan, context: BadInputContext): Uint8Array {
  const body = Buffer.from(plan.body ?? GOOD);
  const method = plan.sign?.method ?? 'POST';
  const target = plan.sign?.target ?? TARGET;
  const signed = signedHeaders(context, { method, target, body }, plan.sign);
  const sent = Buffer.from(plan.sentBody ?? body);
  const contentType = plan.contentType === undefined ? 'application/json' : plan.contentType;
  const length = plan.length === undefined ? String(sent.length) : plan.length;
  const lines = [
    plan.requestLine ?? `${method} ${plan.sentTarget ?? target} HTTP/1.1`,
    ...(plan.host ?? ['gateway']).map((host) => `Host: ${host}`),
    ...(contentType === null ? [] : [`Content-Type: ${contentType}`]),
    ...Object.entries(signed)
      .filter(([name]) => plan.without?.includes(name) !== true)
      .map(([name, value]) => `${name}: ${value}`),
    ...(length === null ? [] : [`Content-Length: ${length}`]),
    ...(plan.lines ?? []),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), sent]);
}

type Row = readonly [name: string, status: number, code: string, plan: Plan];

/** Answered at the edge: whoever sends this is nobody's tenant yet. */
const EDGE_ROWS: readonly Row[] = [
  ['no signature', 401, 'CLY_AUTH_MISSING', { without: ['x-clyra-signature'] }],
  ['no key id', 401, 'CLY_AUTH_MISSING', { without: ['x-clyra-key-id'] }],
  ['no nonce', 401, 'CLY_AUTH_MALFORMED', { without: ['x-clyra-nonce'] }],
  ['no tenant', 401, 'CLY_AUTH_MALFORMED', { without: ['x-tenant-id'] }],
  ['a short nonce', 401, 'CLY_AUTH_MALFORMED', { sign: { nonce: 'short' } }],
  ['an unknown key', 401, 'CLY_AUTH_INVALID', { sign: { keyId: 'nobody' } }],
  ['another secret', 401, 'CLY_AUTH_INVALID', { sign: { secret: Buffer.alloc(32, 1) } }],
  ['another target than signed', 401, 'CLY_AUTH_INVALID', { sentTarget: '/v1/refunds/r-2' }],
  ['a timestamp of yesterday', 401, 'CLY_AUTH_TIMESTAMP', { sign: { nowMs: 1_700_000_000_000 } }],
  ['a content digest that was not signed', 401, 'CLY_AUTH_INVALID', { without: ['content-digest'] }],
  ['no Host', 400, 'CLY_REQUEST_HOST', { host: [] }],
  ['two Hosts', 400, 'CLY_REQUEST_HOST', { host: ['gateway', 'evil'] }],
  ['an absolute target', 400, 'CLY_REQUEST_TARGET', { requestLine: 'POST http://evil/v1/refunds/r-1 HTTP/1.1' }],
  ['an asterisk target', 400, 'CLY_REQUEST_TARGET', { requestLine: 'OPTIONS * HTTP/1.1' }],
  ['a target of 9,000 letters', 414, 'CLY_REQUEST_TARGET_LENGTH', { sign: { target: `/${'a'.repeat(9_000)}` } }],
  ['length and chunks', 400, 'CLY_REQUEST_SYNTAX', { lines: ['Transfer-Encoding: chunked'] }],
  ['two lengths', 400, 'CLY_REQUEST_SYNTAX', { lines: ['Content-Length: 3'] }],
  ['a length with a sign', 400, 'CLY_REQUEST_SYNTAX', { length: '+28' }],
  ['an unknown coding', 400, 'CLY_REQUEST_SYNTAX', { length: null, lines: ['Transfer-Encoding: gzip'] }],
  ['a space before a colon', 400, 'CLY_REQUEST_SYNTAX', { lines: ['X-Own : 1'] }],
  ['a folded header', 400, 'CLY_REQUEST_SYNTAX', { lines: ['X-Own: 1', ' folded'] }],
  ['a NUL in a header', 400, 'CLY_REQUEST_SYNTAX', { lines: ['X-Own: a\u0000b'] }],
  ['a bare line feed', 400, 'CLY_REQUEST_SYNTAX', { lines: ['X-Own: a\nX-Other: b'] }],
  ['a header of 20 KB', 431, 'CLY_REQUEST_HEADER_SIZE', { lines: [`X-Own: ${'a'.repeat(20_000)}`] }],
  [
    '150 headers',
    431,
    'CLY_REQUEST_HEADER_COUNT',
    { lines: Array.from({ length: 150 }, (_, index) => `X-${index}: 1`) },
  ],
  ['two content types', 400, 'CLY_REQUEST_HEADER_REPEATED', { lines: ['Content-Type: text/plain'] }],
  ['two tenants', 400, 'CLY_REQUEST_HEADER_REPEATED', { lines: ['X-Tenant-Id: rival'] }],
  ['two nonces', 400, 'CLY_REQUEST_HEADER_REPEATED', { lines: ['X-Clyra-Nonce: abcdefghijklmnopqrst'] }],
  ['a connection option that names a header', 400, 'CLY_REQUEST_CONNECTION', { lines: ['Connection: x-tenant-id'] }],
  ['an upgrade', 400, 'CLY_REQUEST_UPGRADE', { lines: ['Upgrade: websocket', 'Connection: close'] }],
  ['a method nobody listed', 405, 'CLY_REQUEST_METHOD', { sign: { method: 'PROPFIND' } }],
  ['TRACE', 405, 'CLY_REQUEST_METHOD', { requestLine: 'TRACE / HTTP/1.1', length: '0', sentBody: '' }],
  ['a method that is none', 400, 'CLY_REQUEST_SYNTAX', { requestLine: 'BREW / HTTP/1.1' }],
  ['HTTP/9.9', 400, 'CLY_REQUEST_SYNTAX', { requestLine: 'POST / HTTP/9.9' }],
];

/** Answered with a receipt: the caller is known, and so is that this was tried. */
const RECEIPT_ROWS: readonly Row[] = [
  ['another tenant than the credential', 403, 'CLY_FENCE_TENANT', { sign: { tenant: 'rival' } }],
  ['an actor that the credential may not speak for', 403, 'CLY_FENCE_ACTOR', { sign: { actor: 'boss' } }],
  ['another tenant in the body', 403, 'CLY_FENCE_TENANT', { body: '{"account":"a","amount":1,"tenant":"rival"}' }],
  ['an unlisted path', 403, 'CLY_ROUTE_UNKNOWN', { sign: { target: '/v1/secrets' } }],
  ['an unlisted method', 403, 'CLY_ROUTE_UNKNOWN', { sign: { method: 'DELETE' } }],
  ['a path with an escape', 400, 'CLY_ROUTE_TARGET', { sign: { target: '/v1/refunds/%72-1' } }],
  ['a path with a dot segment', 400, 'CLY_ROUTE_TARGET', { sign: { target: '/v1/notes/../refunds/r-1' } }],
  ['a path with an empty segment', 400, 'CLY_ROUTE_TARGET', { sign: { target: '/v1//refunds/r-1' } }],
  ['a path with a backslash', 400, 'CLY_ROUTE_TARGET', { sign: { target: '/v1\\refunds' } }],
  ['another body than its digest', 400, 'CLY_BODY_DIGEST_MISMATCH', { sentBody: '{"account":"a-1","amount":6}' }],
  ['a body without a digest', 400, 'CLY_BODY_DIGEST_MISSING', { sign: { body: '' }, sentBody: GOOD }],
  ['no content type', 415, 'CLY_BODY_MEDIA_TYPE', { contentType: null }],
  ['text where JSON is due', 415, 'CLY_BODY_MEDIA_TYPE', { contentType: 'text/plain' }],
  ['JSON in UTF-16', 415, 'CLY_BODY_MEDIA_TYPE', { contentType: 'application/json; charset=utf-16' }],
  ['a compressed body', 415, 'CLY_BODY_ENCODING', { lines: ['Content-Encoding: gzip'] }],
  ['an empty body', 400, 'CLY_JSON_SYNTAX', { body: '' }],
  ['a name twice', 400, 'CLY_JSON_DUPLICATE_NAME', { body: '{"amount":1,"amount":2,"account":"a"}' }],
  ['an escaped name twice', 400, 'CLY_JSON_DUPLICATE_NAME', { body: '{"amount":1,"\\u0061mount":2,"account":"a"}' }],
  ['broken UTF-8', 400, 'CLY_JSON_UTF8', { body: Buffer.from('7b2261223a22ff227d', 'hex') }],
  ['a lone surrogate', 400, 'CLY_JSON_STRING', { body: '{"account":"\\ud800","amount":1}' }],
  ['an integer beyond 2^53', 400, 'CLY_JSON_NUMBER', { body: '{"account":"a","amount":9007199254740993}' }],
  ['a number beyond a double', 400, 'CLY_JSON_NUMBER', { body: '{"account":"a","amount":1e400}' }],
  ['33 levels', 400, 'CLY_JSON_DEPTH', { body: `${'['.repeat(33)}${']'.repeat(33)}` }],
  ['something after the value', 400, 'CLY_JSON_TRAILING', { body: `${GOOD}{}` }],
  ['a byte order mark', 400, 'CLY_JSON_SYNTAX', { body: `\ufeff${GOOD}` }],
  ['a comment', 400, 'CLY_JSON_SYNTAX', { body: '{"amount":1/*x*/}' }],
  ['more than 200,000 values', 413, 'CLY_JSON_SIZE', { body: `[${'1,'.repeat(200_001)}1]` }],
  ['a body over 1 MiB', 413, 'CLY_BODY_TOO_LARGE', { body: 'x'.repeat(1_048_577) }],
  [
    'a body over 2 MiB, declared',
    413,
    'CLY_BODY_TOO_LARGE',
    { body: 'x'.repeat(2_200_000), sentBody: '', length: '2200000' },
  ],
  ['a member too many', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","amount":1,"more":1}' }],
  ['a member in other letters', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","AMOUNT":1}' }],
  ['__proto__', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","amount":1,"__proto__":{"x":1}}' }],
  ['a text for a number', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","amount":"1"}' }],
  ['too much', 422, 'CLY_SCHEMA_INVALID', { body: '{"account":"a","amount":1001}' }],
  [
    'no idempotency key',
    400,
    'CLY_IDEMPOTENCY_MISSING',
    { sign: { idempotencyKey: '' }, without: ['idempotency-key'] },
  ],
  ['an open quote in the key', 400, 'CLY_IDEMPOTENCY_SYNTAX', { sign: { idempotencyKey: '"open' } }],
  ['a key of 256 letters', 400, 'CLY_IDEMPOTENCY_SYNTAX', { sign: { idempotencyKey: 'k'.repeat(256) } }],
  [
    'two idempotency keys',
    400,
    'CLY_IDEMPOTENCY_SYNTAX',
    {
      sign: { idempotencyKey: 'k-1, k-2' },
      without: ['idempotency-key'],
      lines: ['Idempotency-Key: k-1', 'Idempotency-Key: k-2'],
    },
  ],
  ['a run nobody opened', 409, 'CLY_RUN_UNKNOWN', { sign: { runId: 'nobodys-run' } }],
];

const rowOf =
  (receipt: boolean) =>
  ([name, status, code, plan]: Row): BadInputRow => ({
    name,
    status,
    code,
    receipt,
    bytes: (context) => build(plan, context),
  });

export const BAD_INPUT: readonly BadInputRow[] = [...EDGE_ROWS.map(rowOf(false)), ...RECEIPT_ROWS.map(rowOf(true))];

/** A request that must be forwarded: the table proves nothing where even this is refused. */
export function goodRequest(context: BadInputContext): Uint8Array {
  return build({}, context);
}
