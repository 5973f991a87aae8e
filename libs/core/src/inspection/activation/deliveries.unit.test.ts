// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type DeliverySource, proofFault } from './delivery-source.ts';
import { type Delivery, splitDelivery } from './split-delivery.ts';
import { deliveryFault } from './verify-delivery.ts';

const NOW_MS = 1_790_000_000_000;
const SECRET = Buffer.from('a secret made for tests');
const TOKEN_KEY = Buffer.from('the key of somebody else');
const TOKEN = { header: 'authorization', value: 'Bearer token-made-for-tests' };

function source(changed: Partial<DeliverySource>): DeliverySource {
  const ids = ['/messageId'];
  return {
    name: 's',
    kind: 'segment',
    tenant: 'acme',
    actor: 'bot',
    secrets: [],
    token: null,
    records: '',
    ids,
    ...changed,
  };
}

type Headers = Readonly<Record<string, string | readonly string[]>>;

function faultOf(of: DeliverySource, body: string, sent: Headers): string {
  const headers = (name: string): readonly string[] => [sent[name] ?? []].flat();
  return deliveryFault(of, { headers, body: Buffer.from(body), nowMs: NOW_MS }) ?? 'proved';
}

const segmentMac = (body: string, secret: Uint8Array = SECRET): string =>
  createHmac('sha1', secret).update(body).digest('hex');

function webhook(
  body: string,
  changed: Record<string, string> = {},
  secret: Uint8Array = SECRET,
): Record<string, string> {
  const head = { 'webhook-id': 'msg_1', 'webhook-timestamp': String(NOW_MS / 1_000), ...changed };
  const text = `${head['webhook-id']}.${head['webhook-timestamp']}.${body}`;
  return { ...head, 'webhook-signature': `v1,${createHmac('sha256', secret).update(text).digest('base64')}` };
}

describe('the proof of a delivery', () => {
  const segment = source({ secrets: [SECRET] });
  const both = source({ secrets: [SECRET], token: TOKEN });
  const generic = source({ kind: 'generic', secrets: [Buffer.from('an older secret of it'), SECRET] });
  const hightouch = source({ kind: 'hightouch', token: TOKEN });
  const body = '{"messageId":"m-1"}';
  const bearer = { authorization: TOKEN.value };
  const right = webhook(body);

  it.each<[string, DeliverySource, string, Headers, string]>([
    ['segment, its HMAC', segment, body, { 'x-signature': segmentMac(body) }, 'proved'],
    ['segment, of another body', segment, body, { 'x-signature': segmentMac('{}') }, 'CLY_ACTIVATION_SIGNATURE'],
    [
      'segment, of another key',
      segment,
      body,
      { 'x-signature': segmentMac(body, TOKEN_KEY) },
      'CLY_ACTIVATION_SIGNATURE',
    ],
    [
      'segment, in capitals',
      segment,
      body,
      { 'x-signature': segmentMac(body).toUpperCase() },
      'CLY_ACTIVATION_SIGNATURE',
    ],
    ['segment, none', segment, body, {}, 'CLY_ACTIVATION_SIGNATURE'],
    [
      'segment, two',
      segment,
      body,
      { 'x-signature': [segmentMac(body), segmentMac(body)] },
      'CLY_ACTIVATION_SIGNATURE',
    ],
    ['segment, a batch', segment, ` [${body}]`, { 'x-signature': segmentMac(body) }, 'CLY_ACTIVATION_BATCH_UNSIGNED'],
    ['segment, a batch and a token', both, `[${body}]`, { ...bearer, 'x-signature': segmentMac(body) }, 'proved'],
    ['segment, a token without the HMAC', both, body, bearer, 'CLY_ACTIVATION_SIGNATURE'],
    ['segment, the HMAC without a token', both, body, { 'x-signature': segmentMac(body) }, 'CLY_ACTIVATION_SIGNATURE'],
    ['hightouch, its token', hightouch, body, bearer, 'proved'],
    ['hightouch, another token', hightouch, body, { authorization: `${TOKEN.value}x` }, 'CLY_ACTIVATION_SIGNATURE'],
    [
      'hightouch, two tokens',
      hightouch,
      body,
      { authorization: [TOKEN.value, TOKEN.value] },
      'CLY_ACTIVATION_SIGNATURE',
    ],
    ['hightouch, no token', hightouch, body, {}, 'CLY_ACTIVATION_SIGNATURE'],
    ['rudderstack, its token', source({ kind: 'rudderstack', token: TOKEN }), body, bearer, 'proved'],
    ['rudderstack, no token', source({ kind: 'rudderstack', token: TOKEN }), body, {}, 'CLY_ACTIVATION_SIGNATURE'],
    ['generic', generic, body, right, 'proved'],
    [
      'generic, one of two signatures',
      generic,
      body,
      { ...right, 'webhook-signature': `v1,x ${right['webhook-signature']}` },
      'proved',
    ],
    [
      'generic, another version',
      generic,
      body,
      { ...right, 'webhook-signature': right['webhook-signature']?.replace('v1', 'v1a') ?? '' },
      'CLY_ACTIVATION_SIGNATURE',
    ],
    ['generic, another id', generic, body, { ...right, 'webhook-id': 'msg_2' }, 'CLY_ACTIVATION_SIGNATURE'],
    ['generic, an id with a point', generic, body, webhook(body, { 'webhook-id': 'a.b' }), 'CLY_ACTIVATION_SIGNATURE'],
    [
      'generic, five minutes old',
      generic,
      body,
      webhook(body, { 'webhook-timestamp': String(NOW_MS / 1_000 - 300) }),
      'proved',
    ],
    [
      'generic, older',
      generic,
      body,
      webhook(body, { 'webhook-timestamp': String(NOW_MS / 1_000 - 301) }),
      'CLY_ACTIVATION_TIMESTAMP',
    ],
    [
      'generic, of tomorrow',
      generic,
      body,
      webhook(body, { 'webhook-timestamp': String(NOW_MS / 1_000 + 301) }),
      'CLY_ACTIVATION_TIMESTAMP',
    ],
    ['generic, no time', generic, body, { ...right, 'webhook-timestamp': '' }, 'CLY_ACTIVATION_SIGNATURE'],
    [
      'generic, old and of another key',
      generic,
      body,
      webhook(body, { 'webhook-timestamp': '1' }, TOKEN_KEY),
      'CLY_ACTIVATION_SIGNATURE',
    ],
  ])('%s', (_what, of, sent, headers, expected) => {
    expect(faultOf(of, sent, headers)).toBe(expected);
  });

  it('is broken by any changed byte of the body', () => {
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
        const bytes = Buffer.from(body);
        bytes[at] = (bytes[at] as number) ^ change;
        const changed = bytes.toString('latin1');
        const isProved = faultOf(segment, changed, { 'x-signature': segmentMac(body) }) === 'proved';
        return !isProved && faultOf(generic, changed, right) !== 'proved';
      }),
    );
  });

  it('asks each kind for what its vendor can give', () => {
    const kinds = (['hightouch', 'rudderstack', 'segment', 'generic'] as const).map((kind) =>
      proofFault(source({ kind })),
    );
    expect(kinds.every((fault) => fault !== undefined)).toBe(true);
    expect(proofFault(source({ kind: 'hightouch', token: TOKEN, secrets: [SECRET] }))).toContain('nothing uses');
    expect([segment, both, generic, hightouch].map(proofFault)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

function delivery(body: string, changed: Partial<Delivery> = {}): Delivery {
  return {
    source: source({}),
    body: Buffer.from(body),
    contentType: 'application/json',
    contentEncoding: null,
    batch: 'each',
    deliveryId: '',
    ...changed,
  };
}

const textsOf = (parts: ReturnType<typeof splitDelivery>): string[] | string =>
  typeof parts === 'string' ? parts : parts.map(({ bytes }) => Buffer.from(bytes).toString());
const keysOf = (parts: ReturnType<typeof splitDelivery>): string[] =>
  typeof parts === 'string' ? [] : parts.map(({ key }) => key);

describe('the changes of a delivery', () => {
  it('are its records, each in the form of the whole and byte by byte as sent', () => {
    const around = source({ records: '/a~1b/rows' });
    const body = ' { "sync" : 1.50, "a/b": {"rows":[ {"messageId":"1","v":1.10} ,{"messageId":"2"}\n]} , "z":[] } ';
    expect(textsOf(splitDelivery(delivery(body, { source: around })))).toEqual([
      ' { "sync" : 1.50, "a/b": {"rows":[{"messageId":"1","v":1.10}]} , "z":[] } ',
      ' { "sync" : 1.50, "a/b": {"rows":[{"messageId":"2"}]} , "z":[] } ',
    ]);
    expect(textsOf(splitDelivery(delivery('{"messageId":"1"}')))).toEqual(['{"messageId":"1"}']);
    expect(textsOf(splitDelivery(delivery('[{"messageId":"1"}]', { batch: 'whole' })))).toEqual([
      '[{"messageId":"1"}]',
    ]);
  });

  it('have the keys of their records, however a vendor groups them, and of the batch where it is one change', () => {
    const all = keysOf(splitDelivery(delivery('[{"messageId":"1"},{"messageId":"2"},{"messageId":3}]')));
    expect(new Set(all).size).toBe(3);
    expect(all[0]).toMatch(/^segment-[0-9a-f]{64}$/);
    expect(keysOf(splitDelivery(delivery('[{"messageId":3},{"messageId":"1"}]')))).toEqual([all[2], all[0]]);
    expect(keysOf(splitDelivery(delivery('{"messageId":"2"}')))).toEqual([all[1]]);
    const whole = (body: string): string[] => keysOf(splitDelivery(delivery(body, { batch: 'whole' })));
    expect(whole('[{"messageId":"1"}, {"messageId":"2"}]')).toEqual(whole('[{"messageId":"1"},{"messageId":"2"}]'));
    expect(whole('[{"messageId":"2"},{"messageId":"1"}]')).not.toEqual(whole('[{"messageId":"1"},{"messageId":"2"}]'));
    const other = delivery('{"messageId":"2"}', { source: source({ name: 'other' }) });
    expect(keysOf(splitDelivery(other))).not.toEqual([all[1]]);
  });

  it('take several values together, and the delivery’s own id where records have none', () => {
    const rows = source({ kind: 'hightouch', ids: ['/id', '/updated_at'] });
    const keys = (body: string): string[] => keysOf(splitDelivery(delivery(body, { source: rows })));
    expect(keys('{"id":1,"updated_at":"a"}')).not.toEqual(keys('{"id":1,"updated_at":"b"}'));
    expect(keys('{"id":"1","updated_at":"a"}')).not.toEqual(keys('{"id":1,"updated_at":"a"}'));
    const plain = source({ kind: 'generic', ids: [] });
    const named = (deliveryId: string): string[] =>
      keysOf(splitDelivery(delivery('[{},{}]', { source: plain, deliveryId })));
    expect(new Set([...named('msg_1'), ...named('msg_2')]).size).toBe(4);
  });

  it.each<[string, string, Partial<Delivery>]>([
    ['CLY_BODY_ENCODING', '{"messageId":"1"}', { contentEncoding: 'gzip' }],
    ['CLY_BODY_MEDIA_TYPE', '{"messageId":"1"}', { contentType: 'text/plain' }],
    ['CLY_BODY_MEDIA_TYPE', '{"messageId":"1"}', { contentType: null }],
    ['CLY_JSON_SYNTAX', '{"messageId":"1"', {}],
    ['CLY_JSON_SYNTAX', '', {}],
    ['CLY_JSON_DUPLICATE_NAME', '{"messageId":"1","messageId":"2"}', {}],
    ['CLY_JSON_DEPTH', `${'['.repeat(40)}${']'.repeat(40)}`, {}],
    ['CLY_ACTIVATION_RECORDS', '[]', {}],
    ['CLY_ACTIVATION_RECORDS', '{"rows":{}}', { source: source({ records: '/rows' }) }],
    ['CLY_ACTIVATION_RECORDS', '{}', { source: source({ records: '/rows' }) }],
    ['CLY_ACTIVATION_BATCH_SIZE', `[${'{},'.repeat(1_000)}{}]`, {}],
    ['CLY_ACTIVATION_ID', '[{"messageId":"1"},{}]', {}],
    ['CLY_ACTIVATION_ID', '{"messageId":""}', {}],
    ['CLY_ACTIVATION_ID', '{"messageId":null}', {}],
    ['CLY_ACTIVATION_ID', '{"messageId":["1"]}', {}],
    ['CLY_ACTIVATION_ID', `{"messageId":"${'x'.repeat(300)}"}`, {}],
    ['CLY_ACTIVATION_ID', '{}', { source: source({ kind: 'generic', ids: [] }) }],
    ['CLY_ACTIVATION_ID', '[1,2]', {}],
    ['CLY_ACTIVATION_ID_REPEATED', '[{"messageId":"1"},{"messageId":"1"}]', {}],
    ['CLY_ACTIVATION_ID_REPEATED', '[{"messageId":"1"},{"messageId":"1"}]', { batch: 'whole' }],
  ])('%s: %s', (code, body, changed) => {
    expect(splitDelivery(delivery(body, changed))).toBe(code);
  });

  it('say together what the batch said, whatever its records are', () => {
    const record = fc.record({ v: fc.jsonValue(), w: fc.string() });
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(3), (values, spaces) => {
        const rows = values.map((value, index) => ({ messageId: `m-${index}`, ...value }));
        const body = JSON.stringify({ rows, z: 1 }, null, spaces);
        const parts = textsOf(splitDelivery(delivery(body, { source: source({ records: '/rows' }) })));
        // Texts that the strict reader refuses (-0, lone surrogates and the like) are refused here as well.
        if (typeof parts === 'string') return parts.startsWith('CLY_JSON_');
        const read = parts.map((part) => JSON.parse(part) as { rows: unknown[]; z: number });
        expect(read.map((one) => one.rows)).toEqual(JSON.parse(JSON.stringify(rows.map((row) => [row]))));
        return read.every((one) => one.z === 1);
      }),
    );
  });
});
