// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import * as producer from '@clyra/core/signing/ed25519';
import * as verifier from '@clyra/verifier/signature/ed25519';
import { afterAll, describe, expect, it } from '@jest/globals';
import { printCount, readCases, readExternal } from './read-cases.ts';

interface Signed {
  readonly id: number;
  readonly key: string;
  readonly msg: string;
  readonly sig: string;
  readonly result?: 'valid' | 'invalid';
}

const wycheproof = readCases<Signed>('wycheproof/ed25519.jsonl');
const cctv = readCases<Signed>('cctv/ed25519.jsonl');
/** What every implementation accepts of the 914; a drift of a platform's library must be seen. */
const accepted = JSON.parse(readExternal('cctv/accepted.json')) as { readonly ids: readonly number[] };

type Library = {
  readonly importKey: (raw: Buffer) => KeyObject;
  readonly verify: (key: KeyObject, message: Uint8Array, signature: Uint8Array) => boolean;
};
const libraries: readonly (readonly [string, Library])[] = [
  ['the producer', { importKey: producer.importPublicKey, verify: producer.verifyEd25519 }],
  ['the verifier', { importKey: verifier.importEd25519, verify: verifier.verifyEd25519 }],
];

function accepts({ importKey, verify }: Library, one: Signed, message: Buffer): boolean {
  return verify(importKey(Buffer.from(one.key, 'hex')), message, Buffer.from(one.sig, 'hex'));
}

describe.each(libraries)('Ed25519 of %s', (name, library) => {
  afterAll(() => printCount(`Ed25519 (${name})`, { 'of Wycheproof': wycheproof.length, 'of CCTV': cctv.length }));

  it('agrees with Wycheproof', () => {
    const wrong = wycheproof.filter(
      (one) => accepts(library, one, Buffer.from(one.msg, 'hex')) !== (one.result === 'valid'),
    );
    expect(wycheproof).toHaveLength(151);
    expect(wrong).toEqual([]);
  });

  it('accepts of CCTV what records.md says: S below L, no batch equation, no point of small order', () => {
    const found = cctv.filter((one) => accepts(library, one, Buffer.from(one.msg, 'utf8'))).map(({ id }) => id);
    expect(cctv).toHaveLength(914);
    expect(found).toEqual(accepted.ids);
  });
});
