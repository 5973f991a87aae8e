// SPDX-License-Identifier: Apache-2.0
import { describe, it } from '@jest/globals';
import * as fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import { checkFacts } from '../change/check-facts.ts';
import { compilePolicy } from '../policy/compile-policy.ts';
import { type InspectionInput, inspectRequest } from './inspect-request.ts';
import { preparePolicy } from './policy-in-force.ts';
import { signRequest, verifyRequestMac } from './request-signature.ts';

const policy = preparePolicy(
  compilePolicy(`
name: p
schemas: { any: { type: object, properties: { name: { type: string, maxLength: 3 } }, additionalProperties: { type: integer } } }
routes:
  - { id: a, method: POST, path: "/a/{id}", upstream: u, schema: any }
  - { id: b, method: PUT, path: /b, upstream: u }
rate_limits: [{ id: r, routes: "*", key: { body: /name }, window_seconds: 1, max_actions: 1 }]
tenant_fences: { body_tenant: /tenant, body_actor: /actor }
`),
);

/** What must never be seen again: recognisable wherever it lands in the payload. */
const MARK = 'PAYLOAD-MARK';
const marked = fc.string({ maxLength: 12 }).map((text) => `${text}${MARK}${text}`);
const json = fc
  .oneof(
    fc.dictionary(
      fc.oneof(fc.constantFrom('name', 'other', '__proto__'), marked),
      fc.oneof(marked, fc.integer(), fc.constant(null)),
    ),
    fc.jsonValue(),
  )
  .map((value) => JSON.stringify(value));
const bytes = fc.oneof(
  json.map((text) => Buffer.from(text)),
  marked.map((text) => Buffer.from(text)),
  fc.uint8Array().map((raw) => Buffer.from(raw)),
);

const request = fc.record({
  method: fc.constantFrom('POST', 'PUT', 'GET'),
  target: fc.oneof(fc.constantFrom('/a/1', '/b', '/a/..', '/b?x=1'), fc.webPath(), fc.string()),
  contentType: fc.option(fc.constantFrom('application/json', 'text/plain', 'application/x+json; charset=utf-8', ';;')),
  contentEncoding: fc.option(fc.constantFrom('gzip', 'identity', '')),
  idempotencyKeys: fc.array(fc.string(), { maxLength: 2 }),
  body: bytes,
  honest: fc.boolean(),
});

describe('inspectRequest', () => {
  it('makes a record of whatever is sent, and nothing of the payload is in it', () => {
    fc.assert(
      fc.property(request, ({ body, honest, ...rest }) => {
        // The tenant and actor that a body names are claims, and meant to be seen.
        fc.pre(!/"(?:tenant|actor)"/.test(body.toString('latin1')));
        const input: InspectionInput = {
          ...rest,
          claimedDigest: honest ? digestOf(body) : null,
          body: { bytes: body, digest: digestOf(body), size: body.length, tooLarge: false },
          credential: { id: 'key-1', tenant: 'acme', actors: ['*'] },
          tenant: 'acme',
          actor: 'bot',
          nonce: 'nonce-1234567890',
          fingerprintKey: Buffer.alloc(32, 1),
          executionToken: 'token',
          policy,
        };
        const { facts } = inspectRequest(input);
        const record = encodeRecord(facts as never);
        checkFacts(parseRecord(record));
        if (Buffer.from(record).includes(MARK)) throw new Error('a payload value is in the facts');
        const again = inspectRequest(input).facts;
        if (!Buffer.from(encodeRecord(again as never)).equals(record)) throw new Error('two inspections differ');
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('signRequest', () => {
  it('verifies as it was signed, and in no other form', () => {
    const word = fc.stringMatching(/^[A-Za-z0-9]{1,12}$/);
    fc.assert(
      fc.property(
        fc.array(word, { minLength: 6, maxLength: 6 }),
        fc.uint8Array({ minLength: 16, maxLength: 32 }),
        (words, secret) => {
          const [target = '', tenant = '', actor = '', idempotencyKey = '', runId = '', body = ''] = words;
          const signing = { keyId: 'k', secret, method: 'POST', target, tenant, actor, idempotencyKey, runId, body };
          const headers = signRequest({ ...signing, nowMs: 1, nonce: 'n'.repeat(16) });
          const header = (name: string): string => headers[name] ?? '';
          const seen = {
            method: 'POST',
            target,
            tenant: header('x-tenant-id'),
            actor: header('x-actor-id'),
            timestamp: header('x-clyra-timestamp'),
            nonce: header('x-clyra-nonce'),
            idempotencyKey: header('idempotency-key'),
            runId: header('x-clyra-run-id'),
            contentDigest: header('content-digest'),
          };
          if (!verifyRequestMac(secret, seen, header('x-clyra-signature'))) throw new Error('does not verify');
          const swapped = { ...seen, tenant: seen.actor, actor: seen.tenant };
          if (tenant !== actor && verifyRequestMac(secret, swapped, header('x-clyra-signature')))
            throw new Error('swapped');
        },
      ),
    );
  });
});
