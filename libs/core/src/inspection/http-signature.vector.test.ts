// SPDX-License-Identifier: Apache-2.0
import { createPublicKey, createSecretKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import { formatContentDigest, parseContentDigest } from './content-digest.ts';
import {
  type HttpSignatureAlgorithm,
  parseSignatureInput,
  type SignedMessage,
  signatureBase,
  verifyHttpSignature,
} from './http-signature.ts';

type Key = { readonly algorithm: HttpSignatureAlgorithm; readonly spki?: string; readonly secret?: string };
type Vectors = {
  readonly keys: Readonly<Record<string, Key>>;
  readonly request: Omit<SignedMessage, 'field'> & { readonly fields: Readonly<Record<string, string>> };
  readonly signatures: readonly {
    readonly section: string;
    readonly understood?: boolean;
    readonly input: string;
    readonly signature: string;
  }[];
  readonly bases: readonly {
    readonly section: string;
    readonly key: string;
    readonly base: string;
    readonly signature: string;
  }[];
  readonly digests: readonly { readonly section: string; readonly body: string; readonly header: string }[];
};

const vectors = JSON.parse(
  readFileSync(new URL('../../../../schemas/vectors/http-signatures/rfc9421.json', import.meta.url), 'utf8'),
) as Vectors;
const message: SignedMessage = {
  ...vectors.request,
  field: (name) => [vectors.request.fields[name]].filter((value) => value !== undefined),
};

function keyOf(name: string): { algorithm: HttpSignatureAlgorithm; key: KeyObject } {
  const { algorithm, spki, secret } = vectors.keys[name] as Key;
  const key =
    secret === undefined
      ? createPublicKey({ key: Buffer.from(spki ?? '', 'base64'), format: 'der', type: 'spki' })
      : createSecretKey(Buffer.from(secret, 'base64'));
  return { algorithm, key };
}

describe('the signatures of RFC 9421', () => {
  it.each(vectors.signatures.filter(({ understood }) => understood !== false))(
    '$section holds, and no longer when a byte is another',
    ({ input, signature }) => {
      const [label] = input.split('=');
      const parsed = parseSignatureInput(input, `${label}=:${signature}:`);
      const base = parsed && signatureBase(message, parsed);
      if (parsed === undefined || base === undefined) throw new Error('the RFC is understood');
      const key = keyOf(parsed.keyId ?? '');
      expect(verifyHttpSignature(key, base, parsed.signature)).toBe(true);
      expect(verifyHttpSignature(key, `${base} `, parsed.signature)).toBe(false);
      const changed = Uint8Array.from(parsed.signature, (byte, index) => (index === 5 ? byte ^ 1 : byte));
      expect(verifyHttpSignature(key, base, changed)).toBe(false);
    },
  );

  it.each(vectors.bases)('$section holds over its base', ({ key, base, signature }) => {
    expect(verifyHttpSignature(keyOf(key), base, Buffer.from(signature, 'base64'))).toBe(true);
  });

  it('refuses what it does not understand rather than ignoring it', () => {
    for (const { input, signature } of vectors.signatures.filter(({ understood }) => understood === false)) {
      expect(parseSignatureInput(input, `${input.split('=')[0]}=:${signature}:`)).toBeUndefined();
    }
  });

  it.each(vectors.digests)('RFC 9530: $section', ({ body, header }) => {
    expect(formatContentDigest(digestOf(body))).toBe(header);
    expect(parseContentDigest(header)).toBe(digestOf(body));
  });
});

describe('signature headers', () => {
  const good = 'sig1=("@method" "@path");created=1;keyid="k"';
  const signature = 'sig1=:AAAA:';

  it('reads the one spelling', () => {
    expect(parseSignatureInput(good, signature)).toMatchObject({
      components: ['@method', '@path'],
      created: 1,
      keyId: 'k',
      parameters: '("@method" "@path");created=1;keyid="k"',
    });
  });

  it.each([
    ['two signatures', `${good}, sig2=();created=1`, signature],
    ['another label', good, 'sig2=:AAAA:'],
    ['a component twice', 'sig1=("@path" "@path");created=1', signature],
    ['a parameter twice', 'sig1=("@path");created=1;created=2', signature],
    ['an unknown parameter', 'sig1=("@path");created=1;extra="x"', signature],
    ['a parameter of a component', 'sig1=("@path";req);created=1', signature],
    ['a text for a number', 'sig1=("@path");created="1"', signature],
    ['a number for a text', 'sig1=("@path");keyid=1', signature],
    ['upper case', 'sig1=("@Path");created=1', signature],
    ['two spaces', 'sig1=("@method"  "@path");created=1', signature],
    ['an escape', 'sig1=("@path");keyid="a\\"b"', signature],
    ['a line feed', 'sig1=("@path");keyid="a\nb"', signature],
    ['other base64', good, 'sig1=:AAAB=:'],
    ['no signature', good, ''],
  ])('refuses %s', (_, input, value) => {
    expect(parseSignatureInput(input, value)).toBeUndefined();
  });

  it.each([['@status'], ['@query-param'], ['@made-up'], ['x-absent']])('has no base for %s', (name) => {
    expect(signatureBase(message, { components: [name], parameters: '()' })).toBeUndefined();
  });
});
