// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { encodeRecord } from '../canonical/record.ts';
import { checkFacts } from '../change/check-facts.ts';
import { compilePolicy } from '../policy/compile-policy.ts';
import { emptyBody } from './check-body.ts';
import { type InspectionInput, inspectRequest } from './inspect-request.ts';
import { NO_POLICY, preparePolicy } from './policy-in-force.ts';

const policy = preparePolicy(
  compilePolicy(`
name: p
schemas: { refund: { type: object, required: [amount], properties: { amount: { type: integer } } } }
routes:
  - { id: refund, method: POST, path: "/refunds/{id}", upstream: u, schema: refund }
  - { id: file, method: PUT, path: /file, upstream: u }
rate_limits:
  - { id: by-actor, routes: "*", window_seconds: 1, max_actions: 1 }
  - { id: by-payee, routes: [refund], key: { body: /payee }, window_seconds: 1, max_actions: 1 }
tenant_fences: { body_tenant: /tenant, body_actor: /actor }
`),
);

function inspect(text: string, overrides: Partial<InspectionInput> = {}) {
  const bytes = Buffer.from(text);
  const body = { bytes, digest: digestOf(bytes), size: bytes.length, tooLarge: false };
  const input: InspectionInput = {
    method: 'POST',
    target: '/refunds/1?x=1',
    contentType: 'application/json; charset=utf-8',
    contentEncoding: null,
    idempotencyKeys: ['"key"'],
    claimedDigest: text === '' ? null : digestOf(bytes),
    body: text === '' ? emptyBody() : body,
    credential: { id: 'key-1', tenant: 'acme', actors: ['bot'] },
    tenant: 'acme',
    actor: 'bot',
    nonce: 'nonce-1234567890',
    fingerprintKey: Buffer.alloc(32, 1),
    executionToken: 'token',
    policy,
    ...overrides,
  };
  const { facts } = inspectRequest(input);
  // Whatever was sent, the facts are a record that the enforcer can read.
  checkFacts(JSON.parse(Buffer.from(encodeRecord(facts as never)).toString('utf8')));
  return facts;
}

describe('inspectRequest', () => {
  it('describes a sound request without anything of its payload', () => {
    const facts = inspect('{"amount": 77123, "payee": "Jane"}');
    expect(facts).toMatchObject({
      route: 'refund',
      content: 'ok',
      schema: { id: 'refund', verdict: 'valid', errors: [] },
      canonical_digest: digestOf('{"amount":77123,"payee":"Jane"}'),
      execution_token_hash: digestOf('token'),
      tenants: [
        { from: 'credential', value: 'acme' },
        { from: 'header', value: 'acme' },
      ],
    });
    expect(facts.velocity.map(({ rule }) => rule)).toEqual(['by-actor', 'by-payee']);
    expect(JSON.stringify(facts)).not.toMatch(/77123|Jane/);
  });

  it.each([
    ['{"amount":1,"amount":2}', {}, 'CLY_JSON_DUPLICATE_NAME'],
    ['{"amount":1} ', { contentType: 'text/plain' }, 'CLY_BODY_MEDIA_TYPE'],
    ['{"amount":1}', { contentType: null }, 'CLY_BODY_MEDIA_TYPE'],
    ['{"amount":1}', { contentType: 'application/json; charset=utf-16' }, 'CLY_BODY_MEDIA_TYPE'],
    ['{"amount":1}', { contentEncoding: 'gzip' }, 'CLY_BODY_ENCODING'],
    ['{"amount":1}', { claimedDigest: digestOf('other') }, 'CLY_BODY_DIGEST_MISMATCH'],
    ['{"amount":1}', { claimedDigest: null }, 'CLY_BODY_DIGEST_MISSING'],
    [
      '{"amount":1}',
      { body: { bytes: new Uint8Array(), digest: digestOf('x'), size: 9, tooLarge: true } },
      'CLY_BODY_TOO_LARGE',
    ],
    ['{"amount":1}', { idempotencyKeys: ['a', 'b'] }, 'CLY_IDEMPOTENCY_SYNTAX'],
    ['{"amount":1}', { target: '/refunds/%31' }, 'CLY_ROUTE_TARGET'],
    ['{"amount":1}', { target: '/refunds/../file' }, 'CLY_ROUTE_TARGET'],
    ['{"amount":1}', { target: '/refunds//1' }, 'CLY_ROUTE_TARGET'],
    ['', {}, 'CLY_JSON_SYNTAX'],
  ])('names what is wrong with %s %o', (text, overrides, code) => {
    const facts = inspect(text, overrides);
    expect(facts.content).toBe(code);
    // The payload was not read, so nothing is claimed about it.
    if (/^CLY_(?:JSON|BODY)_/.test(code))
      expect(facts).toMatchObject({ canonical_digest: null, schema: { verdict: 'not_checked' } });
  });

  it('matches no route for another method, a longer path or an empty segment', () => {
    for (const overrides of [
      { method: 'GET' },
      { target: '/refunds/1/x' },
      { target: '/refunds/' },
      { target: '/REFUNDS/1' },
    ]) {
      expect(inspect('{"amount":1}', overrides)).toMatchObject({ route: null, idempotency: null, velocity: [] });
    }
    expect(inspect('{"amount":1}', { policy: NO_POLICY })).toMatchObject({
      route: null,
      inspected_under: { policy_digest: null },
    });
  });

  it('claims the tenant and actor that the body names, hashed where they could be free text', () => {
    const facts = inspect('{"amount":1,"tenant":"rival","actor":{"name":"<b>"}}');
    expect(facts.tenants).toContainEqual({ from: 'body', value: 'rival' });
    expect(facts.actors[2]?.value).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  it('leaves a counted value out where the body lacks it', () => {
    expect(inspect('{"amount":1}').velocity.map(({ rule }) => rule)).toEqual(['by-actor']);
  });

  it('has one fingerprint for one meaning, and another for another key, route, body or secret', () => {
    const base = inspect('{"amount":1,"payee":"x"}').idempotency;
    expect(inspect('{ "payee":"x", "amount":1.0e0 }').idempotency).toEqual(base);
    expect(inspect('{"amount":1,"payee":"x"}', { idempotencyKeys: ['key'] }).idempotency).toEqual(base);
    expect(inspect('{"amount":2,"payee":"x"}').idempotency?.fingerprint).not.toBe(base?.fingerprint);
    expect(inspect('{"amount":2,"payee":"x"}').idempotency?.key_digest).toBe(base?.key_digest);
    expect(inspect('{"amount":1,"payee":"x"}', { actor: 'desk' }).idempotency?.key_digest).not.toBe(base?.key_digest);
    const keyed = inspect('{"amount":1,"payee":"x"}', { fingerprintKey: Buffer.alloc(32, 2) });
    expect(keyed.idempotency?.fingerprint).not.toBe(base?.fingerprint);
    expect(keyed.velocity[1]?.key_digest).not.toBe(inspect('{"amount":1,"payee":"x"}').velocity[1]?.key_digest);
  });

  it('takes bytes of any type on a route without a schema', () => {
    expect(inspect('\u0000\u0001', { method: 'PUT', target: '/file', contentType: 'application/x' })).toMatchObject({
      content: 'ok',
      canonical_digest: null,
      schema: { id: null, verdict: 'not_required' },
    });
    expect(inspect('', { method: 'PUT', target: '/file' }).content).toBe('ok');
  });
});
