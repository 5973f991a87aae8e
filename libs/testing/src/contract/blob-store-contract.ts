// SPDX-License-Identifier: Apache-2.0

import type { BlobStore } from '@clyra/core/ports/blob-store';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { blobReadContract, type Cut } from './blob-read-contract.ts';

const BAD_NAMES = [
  '',
  '/a',
  'a/',
  'a//b',
  '../a',
  'a/../b',
  './a',
  '.hidden',
  'A',
  'a b',
  'a\\b',
  'a\u0000',
  '-a',
  'ü',
];

/**
 * What every blob store does (ports/blob-store). `create` returns an empty one; `cut` takes away the second half of a
 * blob of the newest one while it is being read, where a test can do that.
 */
export function blobStoreContract(title: string, create: () => Promise<BlobStore>, cut?: Cut): void {
  blobReadContract(title, create, cut);
  describe(`${title} keeps the blob store contract`, () => {
    let store: BlobStore;
    beforeEach(async () => {
      store = await create();
    });
    const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');

    it('gives back what was put, and undefined where nothing is', async () => {
      await store.put('bundles/acme/1/manifest.json', bytes('one'));
      await store.put('empty', bytes(''));
      expect(Buffer.from((await store.get('bundles/acme/1/manifest.json')) ?? []).toString()).toBe('one');
      expect((await store.get('empty'))?.length).toBe(0);
      expect(await store.get('bundles/acme/2')).toBeUndefined();
      expect(await store.get('bundles/acme/1/manifest.json/below')).toBeUndefined();
      expect(await store.has('empty')).toBe(true);
      expect(await store.has('bundles/acme')).toBe(false);
    });

    it('joins the chunks of a stream', async () => {
      await store.put('streamed', chunks('ab', '', 'c'));
      expect(Buffer.from((await store.get('streamed')) ?? []).toString()).toBe('abc');
    });

    it('takes the same bytes again and refuses others', async () => {
      await store.put('a', bytes('one'));
      await store.put('a', bytes('one'));
      await expect(store.put('a', bytes('two'))).rejects.toMatchObject({ code: 'CLY_BLOB_CONFLICT', retry: 'never' });
      expect(Buffer.from((await store.get('a')) ?? []).toString()).toBe('one');
    });

    it('publishes nothing of a stream that fails', async () => {
      const failing = async function* (): AsyncIterable<Uint8Array> {
        yield bytes('half');
        throw new RangeError('the source broke');
      };
      await expect(store.put('broken', failing())).rejects.toThrow('the source broke');
      expect(await store.has('broken')).toBe(false);
      expect(await store.list('')).toEqual([]);
    });

    it('lists full names below a prefix, sorted', async () => {
      for (const name of ['b/2', 'b/10', 'b/1/x', 'bc', 'a']) await store.put(name, bytes(name));
      expect(await store.list('')).toEqual(['a', 'b/1/x', 'b/10', 'b/2', 'bc']);
      expect(await store.list('b/')).toEqual(['b/1/x', 'b/10', 'b/2']);
      expect(await store.list('b/1')).toEqual(['b/1/x', 'b/10']);
      expect(await store.list('none/')).toEqual([]);
    });

    it.each(BAD_NAMES)('refuses the name %j', async (name) => {
      const refusal = { code: 'CLY_BLOB_NAME', retry: 'never' };
      await expect(store.put(name, bytes('x'))).rejects.toMatchObject(refusal);
      await expect(store.get(name)).rejects.toMatchObject(refusal);
      await expect(store.has(name)).rejects.toMatchObject(refusal);
    });
  });
}

async function* chunks(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text, 'utf8');
}
