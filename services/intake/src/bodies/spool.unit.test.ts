// SPDX-License-Identifier: Apache-2.0
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, open as openHandle, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpoolFolder } from './spool-folder.ts';
import { SpooledBody } from './spooled-body.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-spool-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (limits = {}): Promise<SpoolFolder> =>
  SpoolFolder.open(folder, new SeededRandom(7), { memoryBytesMax: 1_000, ...limits });

async function filled(spool: SpoolFolder, bytes: Uint8Array, chunkBytes = 10_007): Promise<SpooledBody> {
  const body = spool.create();
  for (let at = 0; at < bytes.length; at += chunkBytes) await body.write(bytes.subarray(at, at + chunkBytes));
  await body.finish();
  return body;
}

async function contentOf(body: SpooledBody): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body.read()) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const files = async (): Promise<string[]> => (await readdir(folder)).map((name) => join(folder, name));

describe('the spool', () => {
  it.each([0, 1, 1_000, 1_001, 65_536, 65_537, 131_072, 400_001])(
    'gives back %d bytes as they came, twice',
    async (size) => {
      const bytes = randomBytes(size);
      const spool = await open();
      const body = await filled(spool, bytes);
      expect(body.isOnDisk).toBe(size > 1_000);
      for (let round = 0; round < 2; round += 1) expect((await contentOf(body)).equals(bytes)).toBe(true);
      expect([spool.bytes, spool.count]).toEqual([size, 1]);
      await body.discard();
      expect([spool.bytes, spool.count, await files()]).toEqual([0, 0, []]);
    },
  );

  it('writes nothing that can be read, into files of its own', async () => {
    const secret = Buffer.from('4111 1111 1111 1111 '.repeat(10_000));
    const body = await filled(await open(), secret);
    const [file] = await files();
    const sealed = await readFile(file as string);
    expect(sealed.includes('4111')).toBe(false);
    expect(sealed.length).toBe(secret.length + 16 * Math.ceil(secret.length / 65_536));
    expect((await stat(file as string)).mode & 0o777).toBe(0o600);
    // Equal blocks at different places are different on disk.
    const hash = (index: number): string =>
      createHash('sha256')
        .update(sealed.subarray(index * 65_552, (index + 1) * 65_552))
        .digest('hex');
    expect(hash(0)).not.toBe(hash(1));
    await body.discard();
  });

  it.each([
    ['a flipped bit', (sealed: Buffer) => void sealed.writeUInt8(sealed.readUInt8(70_000) ^ 1, 70_000)],
    [
      'two blocks in each other’s place',
      (sealed: Buffer) => {
        const first = Buffer.from(sealed.subarray(0, 65_552));
        sealed.copy(sealed, 0, 65_552, 131_104);
        first.copy(sealed, 65_552);
      },
    ],
    ['a cut', (sealed: Buffer) => sealed.subarray(0, sealed.length - 1)],
    ['a missing last block', (sealed: Buffer) => sealed.subarray(0, 131_104)],
  ])('notices %s', async (_, damage) => {
    const body = await filled(await open(), randomBytes(140_000));
    const [file] = await files();
    const sealed = await readFile(file as string);
    await writeFile(file as string, damage(sealed) ?? sealed);
    await expect(contentOf(body)).rejects.toMatchObject({ code: 'CLY_SPOOL_DAMAGED' });
    await body.discard();
  });

  it('keeps a body that is being read until the reader is done', async () => {
    const bytes = randomBytes(200_000);
    const body = await filled(await open(), bytes);
    const reader = body.read();
    const first = await reader.next();
    await body.discard();
    const rest: Uint8Array[] = [first.value as Uint8Array];
    for await (const chunk of reader) rest.push(chunk);
    expect(Buffer.concat(rest).equals(bytes)).toBe(true);
    expect(await files()).toEqual([]);
  });

  it('removes what an earlier life left, and nothing else', async () => {
    const left = await filled(await open(), randomBytes(2_000));
    await writeFile(join(folder, 'notes.txt'), 'mine');
    expect(await files()).toHaveLength(2);
    await open();
    expect(await files()).toEqual([join(folder, 'notes.txt')]);
    await left.discard();
  });

  it('refuses beyond its limits, and has room again afterwards', async () => {
    const spool = await open({ bytesMax: 5_000, countMax: 2 });
    const [one, two] = [spool.create(), spool.create()];
    expect(() => spool.create()).toThrow(expect.objectContaining({ code: 'CLY_SPOOL_FULL' }));
    await one.write(randomBytes(3_000));
    await expect(two.write(randomBytes(2_001))).rejects.toMatchObject({ code: 'CLY_SPOOL_FULL' });
    await one.discard();
    await two.discard();
    expect([spool.bytes, spool.count]).toEqual([0, 0]);
    await (await filled(spool, randomBytes(5_000))).discard();
  });

  it('says that the disk is full, and leaves nothing behind', async () => {
    const spool = await open();
    // The kernel's own full disk: every write to it fails like one to a device without room.
    const room = {
      limits: spool.limits,
      reserve: (count: number) => spool.reserve(count),
      release: () => {},
      openFile: async () => ({ handle: await openHandle('/dev/full', 'r+'), path: join(folder, 'none') }),
    };
    const body = new SpooledBody(room, { id: randomBytes(16), key: randomBytes(32) });
    await expect(body.write(randomBytes(100_000))).rejects.toMatchObject({
      code: 'CLY_SPOOL_DISK_FULL',
      retry: 'backoff',
    });
    await body.discard();
  });

  it('says when its folder cannot be used', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(SpoolFolder.open(join(file, 'x'), new SeededRandom(1))).rejects.toMatchObject({
      code: 'CLY_SPOOL_UNAVAILABLE',
      retry: 'backoff',
    });
  });
});
