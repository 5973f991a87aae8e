// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { describe, expect, it } from '@jest/globals';
import { blobStoreContract } from './contract/blob-store-contract.ts';
import { MemoryBlobStore } from './memory-blob-store.ts';

let isCut = false;
blobStoreContract(
  'MemoryBlobStore',
  async () => {
    isCut = false;
    return new MemoryBlobStore((operation, name) => {
      if (isCut && operation === 'read')
        throw new ClyraError('CLY_BLOB_UNAVAILABLE', `${name}: cut`, { retry: 'backoff' });
    });
  },
  async () => {
    isCut = true;
  },
);

describe('MemoryBlobStore', () => {
  it('fails where the simulation says so, with no effect', async () => {
    let broken = true;
    const store = new MemoryBlobStore((operation) => {
      if (broken && operation === 'put') throw new Error('disk gone');
    });
    await expect(store.put('a', Buffer.from('x'))).rejects.toThrow('disk gone');
    broken = false;
    expect(await store.has('a')).toBe(false);
  });
});
