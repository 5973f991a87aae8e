// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@clyra/core/ports/logger';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HeldShelf, type ShelfOptions } from './held-shelf.ts';

const REQUEST = {
  method: 'POST',
  target: '/refunds/17',
  contentType: 'application/json',
  body: Buffer.from('{"a":1}'),
};
const OF = '00000000-0000-7000-8000-000000000001';

describe('held requests', () => {
  let folder: string;
  let clock: SimClock;
  let shelf: HeldShelf;
  const open = (more: Partial<ShelfOptions> = {}): Promise<HeldShelf> =>
    HeldShelf.open({
      folder,
      secret: Buffer.alloc(32, 7),
      clock,
      random: new SeededRandom(1),
      logger: silentLogger,
      ...more,
    });
  const keeping = () => ({ tenant: 'acme', of: OF, untilMs: clock.nowMs() + 60_000 });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-shelf-'));
    clock = new SimClock();
    shelf = await open();
  });
  afterEach(async () => {
    shelf.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('come back as they were, from another process too, and to nobody else', async () => {
    expect(await shelf.keep(keeping(), REQUEST)).toBe(true);
    expect(await shelf.keep(keeping(), REQUEST)).toBe(true);
    const other = await open();
    expect(await other.get('acme', OF)).toEqual(REQUEST);
    expect(await other.get('globex', OF)).toBeUndefined();
    expect(await (await open({ secret: Buffer.alloc(32, 8) })).get('acme', OF)).toBeUndefined();
    await shelf.drop('acme', OF);
    expect(await readdir(folder)).toEqual([]);
  });

  it('lie there encrypted, under names that say nothing', async () => {
    await shelf.keep(keeping(), REQUEST);
    const [file = ''] = await readdir(folder);
    const bytes = await readFile(join(folder, file));
    expect(bytes.includes('refunds')).toBe(false);
    expect(file).toMatch(/^[0-9a-f]{64}\.\d+$/);
  });

  it('with one changed byte are none', async () => {
    await shelf.keep(keeping(), REQUEST);
    const [file = ''] = await readdir(folder);
    const bytes = await readFile(join(folder, file));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      await writeFile(join(folder, file), changed);
      expect(await shelf.get('acme', OF)).toBeUndefined();
    }
  });

  it('end with their time, and are swept away', async () => {
    await shelf.keep(keeping(), REQUEST);
    await clock.advance(60_000);
    expect(await shelf.get('acme', OF)).toBeUndefined();
    await open();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are not kept beyond the limits, and nothing is dropped for them', async () => {
    const small = await open({ countMax: 1 });
    expect(await small.keep(keeping(), REQUEST)).toBe(true);
    expect(await small.keep({ ...keeping(), of: OF.replace(/1$/, '2') }, REQUEST)).toBe(false);
    const narrow = await open({ bytesMax: 200 });
    expect(
      await narrow.keep({ ...keeping(), of: OF.replace(/1$/, '3') }, { ...REQUEST, body: Buffer.alloc(200) }),
    ).toBe(false);
    expect(await small.get('acme', OF)).toEqual(REQUEST);
  });
});
