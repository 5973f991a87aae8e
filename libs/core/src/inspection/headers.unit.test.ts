// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { formatContentDigest, parseContentDigest } from './content-digest.ts';
import { parseIdempotencyKey } from './idempotency-key.ts';
import { valueAt } from './json-pointer.ts';
import { type RequestToSign, requestMac, signRequest, verifyRequestMac } from './request-signature.ts';
import { parseTarget } from './request-target.ts';

describe('parseIdempotencyKey', () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['8e03978e-40d5', '8e03978e-40d5'],
    ['"with space and \\"quote\\" and \\\\"', 'with space and "quote" and \\'],
    [' "padded" ', 'padded'],
    [`"${'k'.repeat(255)}"`, 'k'.repeat(255)],
  ])('reads %s', (header, key) => {
    expect(parseIdempotencyKey([header])).toEqual({ key });
  });

  it.each(['', '""', '"open', 'a b', 'a"b', '"a"; p=1', '"é"', `"${'k'.repeat(256)}"`, 'k'.repeat(256), '"\\n"'])(
    'refuses %s',
    (header) => {
      expect(parseIdempotencyKey([header])).toBe('invalid');
    },
  );

  it('refuses two headers and knows none', () => {
    expect(parseIdempotencyKey(['a', 'a'])).toBe('invalid');
    expect(parseIdempotencyKey([])).toBe('absent');
  });
});

describe('content digest', () => {
  it('reads what it writes, and nothing else', () => {
    const digest = digestOf('body');
    const header = formatContentDigest(digest);
    expect(parseContentDigest(header)).toBe(digest);
    for (const other of [
      '',
      'sha-256=:aa=:',
      header.toUpperCase(),
      `${header}, ${header}`,
      header.replace('sha-256', 'sha-512'),
      header.replace('=:"', ':'),
    ]) {
      expect(parseContentDigest(other)).toBe(other === header ? digest : undefined);
    }
  });

  it('accepts one spelling of the padding bits', () => {
    const header = formatContentDigest('0'.repeat(64));
    expect(parseContentDigest(header.replace('A=:', 'B=:'))).toBeUndefined();
  });
});

describe('parseTarget', () => {
  it('reads path and query', () => {
    expect(parseTarget('/a/b.c?x=%20&y=[1]')).toEqual({ path: '/a/b.c', query: 'x=%20&y=[1]' });
    expect(parseTarget('/')).toEqual({ path: '/', query: null });
  });

  it.each([
    '',
    'a',
    '*',
    'http://x/',
    '//x',
    '/a//b',
    '/a/./b',
    '/a/..',
    '/..',
    '/%61',
    '/a\\b',
    '/a b',
    '/a#b',
    '/é',
    '/a?b#c',
    `/${'a'.repeat(8_192)}`,
  ])('refuses %s', (target) => {
    expect(parseTarget(target)).toBeUndefined();
  });
});

describe('valueAt', () => {
  const document = { a: [{ 'b/c': 1 }], '~': 2, '': 3 };
  it.each([
    ['/a/0/b~1c', 1],
    ['/~0', 2],
    ['/', 3],
    ['/a/1', undefined],
    ['/a/-', undefined],
    ['/a/00', undefined],
    ['/constructor', undefined],
    ['/a/length', undefined],
    ['/a/0/b~1c/d', undefined],
  ])('follows %s', (pointer, value) => {
    expect(valueAt(document, pointer)).toBe(value);
  });
});

/** Made by another implementation from the documented text. */
const MAC = 'b6411650ee4609ca2a7120b75d3d375f373689133ca7fc2e04c90cad1f96b728';

describe('signRequest', () => {
  const request: RequestToSign = {
    keyId: 'key-1',
    secret: Buffer.from('0123456789abcdef'),
    method: 'POST',
    target: '/v1/refunds/1',
    tenant: 'acme',
    actor: 'bot',
    nowMs: 1_750_000_000_000,
    nonce: 'abcdefghijklmnop',
    idempotencyKey: 'k-1',
    runId: 'r-1',
    body: '{}',
  };
  const signed = {
    method: 'POST',
    target: '/v1/refunds/1',
    tenant: 'acme',
    actor: 'bot',
    timestamp: '1750000000000',
    nonce: 'abcdefghijklmnop',
    idempotencyKey: 'k-1',
    runId: 'r-1',
    contentDigest: formatContentDigest(digestOf('{}')),
  };

  it('makes headers that verify, in the form that is documented', () => {
    const headers = signRequest(request);
    expect(headers['x-clyra-signature']).toBe(MAC);
    expect(verifyRequestMac(request.secret, signed, headers['x-clyra-signature'] ?? '')).toBe(true);
    expect(signRequest({ ...request, body: '' })['content-digest']).toBeUndefined();
  });

  it('covers every member', () => {
    const signature = requestMac(request.secret, signed);
    for (const name of Object.keys(signed) as (keyof typeof signed)[]) {
      expect(verifyRequestMac(request.secret, { ...signed, [name]: `${signed[name]}x` }, signature)).toBe(false);
    }
    expect(verifyRequestMac(Buffer.alloc(16), signed, signature)).toBe(false);
    expect(verifyRequestMac(request.secret, signed, signature.toUpperCase())).toBe(false);
    expect(verifyRequestMac(request.secret, signed, '')).toBe(false);
  });
});
