// SPDX-License-Identifier: Apache-2.0
import { createSecretKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import { formatContentDigest } from '@clyra/core/inspection/content-digest';
import { signatureBase } from '@clyra/core/inspection/http-signature';
import { describe, expect, it } from '@jest/globals';
import { authenticate, type Caller } from './authenticate.ts';
import { parseCredentials } from './credentials.ts';
import { RequestHeaders } from './request-headers.ts';

const NOW_MS = 1_700_000_000_000;
const pair = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'der' }).toString('base64');
const BODY = '{"a":1}';

const credentials = parseCredentials(
  Buffer.from(
    JSON.stringify({
      credentials: [
        { key_id: 'agent', tenant: 'acme', actors: ['bot'], algorithm: 'ed25519', public_key: spki(pair.publicKey) },
        { key_id: 'mesh', tenant: 'acme', actors: ['bot'], certificate_keys: ['ab'.repeat(32)] },
        { key_id: 'mac', tenant: 'acme', actors: ['bot'], secret: Buffer.alloc(32, 7).toString('base64') },
      ],
    }),
  ),
);

type Plan = {
  readonly components?: readonly string[];
  readonly parameters?: string;
  readonly key?: KeyObject;
  readonly headers?: Readonly<Record<string, string>>;
  /** Changed after signing. */
  readonly sent?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly method?: string;
};

const COVERED = [
  '@method',
  '@target-uri',
  'x-tenant-id',
  'x-actor-id',
  'idempotency-key',
  'content-digest',
  'content-type',
];
const PARAMETERS = `;created=${NOW_MS / 1_000};nonce="0123456789abcdef";keyid="agent";tag="clyra"`;

function send(plan: Plan = {}): Caller | string {
  const fields: Record<string, string> = {
    host: 'Gateway.example:443',
    'content-type': 'application/json',
    'x-tenant-id': 'acme',
    'x-actor-id': 'bot',
    'idempotency-key': 'k-1',
    'content-digest': formatContentDigest(digestOf(BODY)),
    ...plan.headers,
  };
  const parameters = `(${(plan.components ?? COVERED).map((name) => `"${name}"`).join(' ')})${plan.parameters ?? PARAMETERS}`;
  const base = signatureBase(
    {
      method: 'POST',
      scheme: 'https',
      authority: fields['host'] ?? '',
      target: '/v1/x?y=1',
      field: (name) => [fields[name]].filter((value) => value !== undefined),
    },
    { components: plan.components ?? COVERED, parameters },
  );
  const signature = sign(null, Buffer.from(base ?? ''), plan.key ?? pair.privateKey).toString('base64');
  const headers = {
    ...fields,
    'signature-input': `sig1=${parameters}`,
    signature: `sig1=:${signature}:`,
    ...plan.sent,
  };
  return authenticate(
    {
      method: plan.method ?? 'POST',
      target: plan.target ?? '/v1/x?y=1',
      headers: new RequestHeaders(Object.entries(headers).flat()),
      transport: { isTls: true },
    },
    credentials,
    NOW_MS,
  );
}

describe('a request with an RFC 9421 signature', () => {
  it('is its signer’s', () => {
    expect(send()).toMatchObject({
      credential: { id: 'agent' },
      tenant: 'acme',
      actor: 'bot',
      nonce: '0123456789abcdef',
      signedAtMs: NOW_MS,
      idempotencyKeys: ['k-1'],
      claimedDigest: digestOf(BODY),
    });
    expect(
      send({ components: COVERED.map((name) => (name === '@target-uri' ? '@request-target' : name)) }),
    ).toHaveProperty('actor');
    expect(
      send({ components: ['@path', '@query', ...COVERED.filter((name) => name !== '@target-uri')] }),
    ).toHaveProperty('actor');
  });

  it.each<[string, string, Plan]>([
    ['another key', 'CLY_AUTH_INVALID', { key: other.privateKey }],
    ['an unknown key id', 'CLY_AUTH_INVALID', { parameters: PARAMETERS.replace('agent', 'nobody') }],
    [
      'a key id of a caller who signs otherwise',
      'CLY_AUTH_INVALID',
      { parameters: PARAMETERS.replace('agent', 'mesh') },
    ],
    ['another algorithm than the key’s', 'CLY_AUTH_INVALID', { parameters: `${PARAMETERS};alg="hmac-sha256"` }],
    ['another tenant', 'CLY_AUTH_INVALID', { sent: { 'x-tenant-id': 'evil' } }],
    ['another idempotency key', 'CLY_AUTH_INVALID', { sent: { 'idempotency-key': 'k-2' } }],
    ['another digest', 'CLY_AUTH_INVALID', { sent: { 'content-digest': formatContentDigest(digestOf('x')) } }],
    ['another target', 'CLY_AUTH_INVALID', { target: '/v1/x?y=2' }],
    ['another method', 'CLY_AUTH_INVALID', { method: 'PUT' }],
    ['another host', 'CLY_AUTH_INVALID', { sent: { host: 'evil.example' } }],
    ['a run that was added', 'CLY_AUTH_COVERAGE', { sent: { 'x-clyra-run-id': 'r' } }],
    [
      'a digest that is not covered',
      'CLY_AUTH_COVERAGE',
      { components: COVERED.filter((name) => name !== 'content-digest') },
    ],
    ['a method that is not covered', 'CLY_AUTH_COVERAGE', { components: COVERED.filter((name) => name !== '@method') }],
    [
      'a query that is not covered',
      'CLY_AUTH_COVERAGE',
      { components: ['@path', ...COVERED.filter((name) => name !== '@target-uri')] },
    ],
    [
      'an actor that is not covered',
      'CLY_AUTH_COVERAGE',
      { components: COVERED.filter((name) => name !== 'x-actor-id') },
    ],
    ['a component that is not there', 'CLY_AUTH_INVALID', { components: [...COVERED, 'x-absent'] }],
    ['another purpose', 'CLY_AUTH_MALFORMED', { parameters: PARAMETERS.replace('clyra', 'other') }],
    ['no nonce', 'CLY_AUTH_MALFORMED', { parameters: PARAMETERS.replace(';nonce="0123456789abcdef"', '') }],
    ['no time', 'CLY_AUTH_MALFORMED', { parameters: PARAMETERS.replace(/;created=\d+/, '') }],
    [
      'an old time',
      'CLY_AUTH_TIMESTAMP',
      { parameters: PARAMETERS.replace(/created=\d+/, `created=${NOW_MS / 1_000 - 301}`) },
    ],
    ['an end that is over', 'CLY_AUTH_TIMESTAMP', { parameters: `${PARAMETERS};expires=${NOW_MS / 1_000}` }],
    ['a signature beside an HMAC', 'CLY_AUTH_AMBIGUOUS', { sent: { 'x-clyra-signature': 'ab'.repeat(32) } }],
    ['a signature without its input', 'CLY_AUTH_MALFORMED', { sent: { 'signature-input': '' } }],
  ])('is refused with %s', (_, code, plan) => {
    expect(send(plan)).toBe(code);
  });
});

describe('a request of a client with a certificate', () => {
  const named = {
    'x-clyra-key-id': 'mesh',
    'x-tenant-id': 'acme',
    'x-actor-id': 'bot',
    'x-clyra-timestamp': String(NOW_MS),
    'x-clyra-nonce': '0123456789abcdef',
  };
  const ask = (
    headers: Record<string, string>,
    clientKeyDigest: string | undefined = 'ab'.repeat(32),
  ): Caller | string =>
    authenticate(
      {
        method: 'GET',
        target: '/v1/x',
        headers: new RequestHeaders(Object.entries(headers).flat()),
        transport: { isTls: true, ...(clientKeyDigest === '' ? {} : { clientKeyDigest }) },
      },
      credentials,
      NOW_MS,
    );

  it('is that of the credential that names the certificate’s key', () => {
    expect(ask(named)).toMatchObject({ credential: { id: 'mesh' }, actor: 'bot', claimedDigest: null });
  });

  it.each([
    ['another key', 'CLY_AUTH_INVALID', named, 'cd'.repeat(32)],
    ['no certificate', 'CLY_AUTH_MISSING', named, ''],
    ['the credential of somebody else', 'CLY_AUTH_INVALID', { ...named, 'x-clyra-key-id': 'mac' }, undefined],
    ['no key id', 'CLY_AUTH_INVALID', { ...named, 'x-clyra-key-id': '' }, undefined],
    ['no nonce', 'CLY_AUTH_MALFORMED', { ...named, 'x-clyra-nonce': '' }, undefined],
    ['an old time', 'CLY_AUTH_TIMESTAMP', { ...named, 'x-clyra-timestamp': String(NOW_MS - 300_001) }, undefined],
  ])('is refused with %s', (_, code, headers, key) => {
    expect(ask(headers, key)).toBe(code);
  });
});

describe('credentials', () => {
  const entry = { key_id: 'k', tenant: 'acme', actors: ['bot'] };
  it.each([
    ['no proof', {}],
    ['a key without its algorithm', { public_key: spki(pair.publicKey) }],
    ['a key of another kind', { public_key: spki(pair.publicKey), algorithm: 'ecdsa-p256-sha256' }],
    [
      'a short RSA key',
      { public_key: spki(generateKeyPairSync('rsa', { modulusLength: 1_024 }).publicKey), algorithm: 'rsa-pss-sha512' },
    ],
    [
      'a curve that is not listed',
      {
        public_key: spki(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey),
        algorithm: 'ecdsa-p256-sha256',
      },
    ],
    ['an algorithm of nobody', { public_key: spki(pair.publicKey), algorithm: 'none' }],
    ['no key at all', { public_key: 'AAAA', algorithm: 'ed25519' }],
    ['a digest that is none', { certificate_keys: ['xyz'] }],
    ['no digest', { certificate_keys: [] }],
  ])('are refused with %s', (_, proof) => {
    const bytes = Buffer.from(JSON.stringify({ credentials: [{ ...entry, ...proof }] }));
    expect(() => parseCredentials(bytes)).toThrow(expect.objectContaining({ code: 'CLY_CREDENTIALS_INVALID' }));
  });

  it('take a shared secret for RFC 9421 too', () => {
    expect(credentials.get('mac')?.signatureKey).toEqual({
      algorithm: 'hmac-sha256',
      key: createSecretKey(Buffer.alloc(32, 7)),
    });
  });
});
