// SPDX-License-Identifier: Apache-2.0
import { BLOB_PIECE_BYTES_MAX, type BlobStore } from '@clyra/core/ports/blob-store';
import { beforeEach, describe, expect, it } from '@jest/globals';

const LARGE_BYTES = 2 * BLOB_PIECE_BYTES_MAX + 12_345;
const NAME = 'bundles/acme/1/journal.jsonl';

export type Cut = (name: string) => Promise<void>;

/** The part of the blob store contract that is about reading piece by piece. */
export function blobReadContract(title: string, create: () => Promise<BlobStore>, cut?: Cut): void {
  describe(`${title} reads piece by piece`, () => {
    const content = largeContent();
    let store: BlobStore;
    beforeEach(async () => {
      store = await create();
      await store.put(NAME, content);
    });

    it('what was put, also twice at once', async () => {
      await store.put('empty', new Uint8Array());
      const [one, two] = await Promise.all([piecesOf(store, NAME), piecesOf(store, NAME)]);
      for (const pieces of [one, two]) {
        expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(BLOB_PIECE_BYTES_MAX);
        expect(Buffer.concat(pieces).equals(content)).toBe(true);
      }
      expect(await piecesOf(store, 'empty')).toEqual([]);
    });

    it('and says of a blob that is not there that it is missing', async () => {
      for (const name of ['bundles/acme/2', 'bundles/acme', `${NAME}/below`]) {
        await expect(piecesOf(store, name)).rejects.toMatchObject({ code: 'CLY_BLOB_MISSING', retry: 'backoff' });
      }
    });

    it('only what has a name that a blob can have', async () => {
      for (const name of ['', '../a', 'a/../b', '.hidden', 'A']) {
        await expect(piecesOf(store, name)).rejects.toMatchObject({ code: 'CLY_BLOB_NAME', retry: 'never' });
      }
    });

    it('and goes on after readers that stop early', async () => {
      for (let count = 0; count < 10; count += 1) {
        for await (const piece of store.read(NAME)) {
          expect(content.subarray(0, piece.length).equals(piece)).toBe(true);
          break;
        }
      }
      expect(Buffer.concat(await piecesOf(store, NAME)).equals(content)).toBe(true);
    });

    if (cut === undefined) return;
    it('and never ends as if it were whole where the rest is gone', async () => {
      const pieces = store.read(NAME)[Symbol.asyncIterator]();
      await pieces.next();
      await cut(NAME);
      const rest = async (): Promise<void> => {
        while ((await pieces.next()).done !== true);
      };
      await expect(rest()).rejects.toMatchObject({ code: 'CLY_BLOB_UNAVAILABLE', retry: 'backoff' });
    });
  });
}

async function piecesOf(store: BlobStore, name: string): Promise<readonly Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for await (const piece of store.read(name)) pieces.push(piece);
  return pieces;
}

/** No two places of it are alike: a piece that stands elsewhere or twice is seen. */
function largeContent(): Buffer {
  const content = Buffer.alloc(LARGE_BYTES);
  for (let at = 0; at + 4 <= LARGE_BYTES; at += 4) content.writeUInt32BE(at, at);
  return content;
}
