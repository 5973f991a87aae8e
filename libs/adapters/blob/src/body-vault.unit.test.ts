// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BodyKeys } from './body-keys.ts';
import { BodyVault } from './body-vault.ts';

const NOON_MS = Date.UTC(2026, 10, 28, 12);
const DAY_MS = 86_400_000;

describe('stored bodies', () => {
  let folder: string;
  let keys: BodyKeys;
  let blobs: MemoryBlobStore;
  let vault: BodyVault;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-body-keys-'));
    keys = new BodyKeys(folder, new SeededRandom(5));
    blobs = new MemoryBlobStore();
    vault = new BodyVault(blobs, keys);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const bodyOf = (bytes: Uint8Array, tenant = 'acme'): { tenant: string; digest: string } => ({
    tenant,
    digest: digestOf(bytes),
  });
  async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 9_999) yield bytes.subarray(at, at + 9_999);
  }

  it.each([0, 1, 65_536, 65_537, 300_000])('are given back as they came: %d bytes', async (size) => {
    const bytes = randomBytes(size);
    await vault.keep(bodyOf(bytes), NOON_MS, pieces(bytes));
    expect(Buffer.from((await vault.get(bodyOf(bytes))) ?? 'none').equals(bytes)).toBe(true);
    // The same body again is the same blob, whether it comes in pieces or whole.
    await vault.keep(bodyOf(bytes), NOON_MS, bytes);
    expect(await blobs.list('bodies/')).toEqual([`bodies/acme/20261129/${digestOf(bytes)}`]);
  });

  it('are readable by nobody without the key of their tenant and day', async () => {
    const bytes = Buffer.from('4111 1111 1111 1111 '.repeat(50));
    await vault.keep(bodyOf(bytes), NOON_MS, bytes);
    await vault.keep(bodyOf(bytes, 'other'), NOON_MS, bytes);
    const [one, two] = await Promise.all((await blobs.list('bodies/')).map((name) => blobs.get(name)));
    expect(Buffer.from(one ?? '').includes('4111')).toBe(false);
    expect(Buffer.from(one ?? '').equals(Buffer.from(two ?? ''))).toBe(false);
    const [keyFile] = await readdir(join(folder, 'acme'));
    expect((await stat(join(folder, 'acme', keyFile as string))).mode & 0o777).toBe(0o600);
    expect(
      await new BodyVault(blobs, new BodyKeys(`${folder}-elsewhere`, new SeededRandom(1))).get(bodyOf(bytes)),
    ).toBeUndefined();
  });

  it('end with their day, and it is said which key has gone', async () => {
    const [early, late] = [randomBytes(10), randomBytes(10)];
    await vault.keep(bodyOf(early), NOON_MS, early);
    await vault.keep(bodyOf(late), NOON_MS + 2 * DAY_MS, late);
    const key = await readFile(join(folder, 'acme/20261129.key'));
    expect(await keys.eraseUntil(NOON_MS)).toEqual([]);
    expect(await vault.get(bodyOf(early))).toBeDefined();
    expect(await keys.eraseUntil(NOON_MS + DAY_MS)).toEqual([
      { tenant: 'acme', day: '20261129', keyDigest: digestOf(key) },
    ]);
    expect(await keys.eraseUntil(NOON_MS + DAY_MS)).toEqual([]);
    expect(await vault.get(bodyOf(early))).toBeUndefined();
    expect(await vault.get(bodyOf(late))).toBeDefined();
    expect(await readdir(join(folder, 'acme'))).toEqual(['20261201.key']);
  });

  it('are refused when they are not what was stored', async () => {
    const bytes = randomBytes(100_000);
    await vault.keep(bodyOf(bytes), NOON_MS, bytes);
    const [name = ''] = await blobs.list('bodies/');
    const box = Buffer.from((await blobs.get(name)) ?? '');
    for (const damage of [
      (copy: Buffer) => void copy.writeUInt8(copy.readUInt8(7) ^ 1, 7),
      (copy: Buffer) => copy.subarray(0, 65_552),
    ]) {
      const copy = Buffer.from(box);
      const other = new MemoryBlobStore();
      await other.put(name, damage(copy) ?? copy);
      await expect(new BodyVault(other, keys).get(bodyOf(bytes))).rejects.toMatchObject({
        code: 'CLY_BODY_STORE_DAMAGED',
      });
    }
  });

  it('need a folder for their keys', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    const broken = new BodyVault(blobs, new BodyKeys(file, new SeededRandom(1)));
    await expect(broken.keep(bodyOf(Buffer.alloc(1)), NOON_MS, Buffer.alloc(1))).rejects.toMatchObject({
      code: 'CLY_BODY_STORE_KEYS',
    });
  });

  it('have one key even if two intakes begin a day at once', async () => {
    const made = await Promise.all(
      [1, 2, 3, 4].map((seed) =>
        new BodyKeys(folder, new SeededRandom(seed)).make('acme', '20261129').catch(() => undefined),
      ),
    );
    const whole = made.filter((key) => key !== undefined).map((key) => Buffer.from(key).toString('hex'));
    expect(new Set(whole).size).toBe(1);
  });
});
