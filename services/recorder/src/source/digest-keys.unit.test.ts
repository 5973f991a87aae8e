// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileDigestKeys } from './digest-keys.ts';

describe('the digest key of a tenant', () => {
  let folder: string;
  let keys: FileDigestKeys;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-digest-keys-'));
    let fill = 0;
    const random = {
      bytes: (size: number) => {
        fill += 1;
        return Buffer.alloc(size, fill);
      },
    };
    keys = new FileDigestKeys(join(folder, 'keys'), random);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const bytesOf = async (tenant: string, mayCreate: boolean): Promise<string> =>
    (await keys.keyOf(tenant, mayCreate)).export().toString('hex');

  it('is made once, and only its owner can read it', async () => {
    const made = await bytesOf('acme', true);
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(await bytesOf('acme', true)).toBe(made);
    expect(await bytesOf('acme', false)).toBe(made);
    expect(await bytesOf('globex', true)).not.toBe(made);
    expect((await stat(join(folder, 'keys', 'acme.key'))).mode & 0o777).toBe(0o600);
  });

  it('is made where a recorder ended while it made it, and one key counts where two start together', async () => {
    const path = join(folder, 'keys', 'vandelay.key');
    await writeFile(path, '', { mode: 0o600 });
    await expect(keys.keyOf('vandelay', false)).rejects.toMatchObject({ code: 'CLY_RECORDER_DIGEST_KEY' });
    const made = await Promise.all([bytesOf('vandelay', true), bytesOf('vandelay', true)]);
    expect(new Set(made).size).toBe(1);
    expect(await bytesOf('vandelay', false)).toBe(made[0]);
    const started = await Promise.all(['a', 'b', 'c'].map(() => bytesOf('kramerica', true)));
    expect(new Set(started).size).toBe(1);
    expect((await readdir(join(folder, 'keys'))).every((name) => name.endsWith('.key'))).toBe(true);
  });

  it('is never made anew for a tenant that has observations', async () => {
    await expect(keys.keyOf('initech', false)).rejects.toMatchObject({ code: 'CLY_RECORDER_DIGEST_KEY' });
  });

  it('is refused where others can read it, or where it is no key', async () => {
    const path = join(folder, 'keys', 'hooli.key');
    await writeFile(path, 'a'.repeat(64), { mode: 0o644 });
    await expect(keys.keyOf('hooli', true)).rejects.toMatchObject({ code: 'CLY_RECORDER_DIGEST_KEY' });
    await chmod(path, 0o600);
    expect(await bytesOf('hooli', false)).toBe('a'.repeat(64));
    await writeFile(path, 'not a key');
    await expect(keys.keyOf('hooli', false)).rejects.toMatchObject({ code: 'CLY_RECORDER_DIGEST_KEY' });
  });
});
