// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { encodeRecord } from '@clyra/core/canonical/record';
import { intentEventId } from '@clyra/core/inspection/intent';
import { signRequest } from '@clyra/core/inspection/request-signature';
import { type SignatureBlock, signBatch } from '@clyra/core/signing/batch-signature';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import { type RawReply, readReply } from '@clyra/producer/reply';
import { signIntent } from '@clyra/producer/sign-intent';
import { isReceiptSigned } from '@clyra/producer/verify-receipt';
import { makeTestKey, makeTestTrust } from '@clyra/testing/test-keys';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

const SECRET = Buffer.from('0123456789abcdef0123456789abcdef');
const NOW_MS = 1_767_225_600_000;
const text = fc.stringMatching(/^[a-z0-9-]{1,20}$/);
const ENFORCER = makeTestKey('enforcer-1', ['enforcer']);
const TRUST = makeTestTrust([ENFORCER, makeTestKey('intake-1', ['intake'])]);
const TRUST_ROOT = Buffer.from(TRUST.bytes).toString('utf8');

describe('the producer library', () => {
  it('signs as the door checks, and knows the event id before it is asked', () => {
    fc.assert(
      fc.property(
        fc.record(
          { body: fc.uint8Array({ maxLength: 200 }), key: text, runId: text, idempotencyKey: text, expires: fc.nat() },
          { requiredKeys: ['body'] },
        ),
        ({ body, key, runId, idempotencyKey, expires }) => {
          const optional = {
            ...(runId === undefined ? {} : { runId }),
            ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
          };
          const shared = {
            ...{ keyId: 'key-1', secret: SECRET, tenant: 'acme', actor: 'bot', method: 'POST', target: '/v1/x?y=1' },
            ...{ nowMs: NOW_MS, nonce: 'nonce-0123456789', body, ...optional },
          };
          const expiresAtMs = expires === undefined ? undefined : NOW_MS + expires;
          const { headers, eventIds } = signIntent({
            ...shared,
            correlationId: 'c-1',
            ...(key === undefined ? {} : { key }),
            ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
          });
          const seal = {
            correlationId: 'c-1',
            expiresAt: expiresAtMs === undefined ? '' : String(expiresAtMs),
            keyDigest: key === undefined ? '' : digestOf(key),
          };
          const theirs = signRequest({ ...shared, intent: seal });
          expect(headers).toMatchObject(theirs);
          const proof = { keyId: 'key-1', signature: theirs['x-clyra-signature'] ?? '', timestampMs: NOW_MS };
          expect(eventIds).toEqual([intentEventId(proof, 0), intentEventId(proof, 1)]);
        },
      ),
      { numRuns: 100 },
    );
  });

  it('accepts what an enforcer signed, in sends of every shape, and nothing else', async () => {
    for (const size of [1, 2, 3, 5, 8, 13]) {
      const bodies = Array.from({ length: size }, (_, index) => Buffer.from(encodeRecord({ index })));
      const digests: Digest[] = bodies.map((body) => digestOf(body));
      const blocks = await signBatch(ENFORCER, RECEIPT_TYPE, digests);
      for (const [index, body] of bodies.entries()) {
        const signature = blocks[index] as SignatureBlock;
        expect(isReceiptSigned(TRUST_ROOT, { body, signature }, NOW_MS)).toBe(true);
        for (const bad of spoiled(signature, bodies)) {
          expect(isReceiptSigned(TRUST_ROOT, { body, signature, ...bad }, NOW_MS)).toBe(false);
        }
      }
    }
    const [foreign] = await signBatch(makeTestKey('intake-1', ['intake']), RECEIPT_TYPE, [digestOf('x')]);
    const receipt = { body: Buffer.from('x'), signature: foreign as SignatureBlock };
    expect(isReceiptSigned(TRUST_ROOT, receipt, NOW_MS)).toBe(false);
  });

  it('takes no receipt of another change, tenant or payload for its own', async () => {
    const payload = Buffer.from('{"amount":5}');
    const [eventId, other] = ['019b76da-a940-772c-ab35-e08fd7ca53cc', '019b76da-a940-772c-ab35-e08fd7ca53cd'];
    const fields = { event_id: eventId, tenant: 'acme', payload_digest: digestOf(payload), decision: 'allow' };
    const raw = await rawReply(fields);
    const expected = { eventIds: [eventId], tenant: 'acme', body: payload, trustRoot: TRUST_ROOT, nowMs: NOW_MS };
    expect(readReply(raw, expected)).toMatchObject({ state: 'done', receipt: { decision: 'allow' } });
    expect(readReply(raw, { ...expected, eventIds: [other] })).toBeUndefined();
    expect(readReply(raw, { ...expected, tenant: 'rival' })).toBeUndefined();
    expect(readReply(raw, { ...expected, body: Buffer.from('{"amount":6}') })).toBeUndefined();
    expect(readReply(raw, { ...expected, trustRoot: '{"keys":[]}' })).toBeUndefined();
    expect(readReply({ ...raw, event_id: other }, expected)).toBeUndefined();
  });
});

function spoiled(signature: SignatureBlock, bodies: readonly Buffer[]): object[] {
  const flipped = Buffer.from(signature.sig, 'base64');
  flipped[0] = (flipped[0] as number) ^ 1;
  return [
    { body: Buffer.from('{"index":99}') },
    { signature: { ...signature, sig: flipped.toString('base64') } },
    { signature: { ...signature, size: signature.size + 1 } },
    { signature: { ...signature, index: -1 } },
    { signature: { ...signature, index: signature.size } },
    { signature: { ...signature, path: [...signature.path, digestOf('more')] } },
    { signature: { ...signature, key_id: '0'.repeat(32) } },
    ...(bodies.length > 1 ? [{ signature: { ...signature, path: signature.path.slice(1) } }] : []),
  ];
}

async function rawReply(fields: Record<string, string>): Promise<RawReply> {
  const body = Buffer.from(encodeRecord(fields));
  const [signature] = await signBatch(ENFORCER, RECEIPT_TYPE, [digestOf(body)]);
  return {
    ...{ correlation_id: 'c-1', tenant: 'acme', authenticated: true, state: 'done' },
    intent: { partition: 0, offset: 0 },
    event_id: fields['event_id'] ?? '',
    receipt: { body: body.toString('base64'), signature: signature as SignatureBlock },
  };
}
