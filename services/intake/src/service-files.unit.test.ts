// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@clyra/core/ports/logger';
import { SeededRandom } from '@clyra/testing/seeded-random';
import { SimClock } from '@clyra/testing/sim-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CredentialsFile } from './credentials-file.ts';
import { nextEpoch } from './epoch-file.ts';
import { parseCredentials } from './gateway/credentials.ts';
import { mintEventId, mintedAtMs } from './log/event-id.ts';
import { pooledRandom } from './log/pooled-random.ts';

const entry = (keyId: string, more: object = {}) => ({
  key_id: keyId,
  tenant: 'acme',
  actors: ['bot'],
  secret: Buffer.alloc(32, 1).toString('base64'),
  ...more,
});

describe('files of intake', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clyra-intake-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('count an epoch up, also when the clock goes back or the file is lost', async () => {
    const path = join(folder, 'new', 'intake.epoch');
    expect(await nextEpoch(path, 50_000)).toBe(50);
    expect(await nextEpoch(path, 50_000)).toBe(51);
    expect(await nextEpoch(path, 1_000)).toBe(52);
    expect(await nextEpoch(path, 90_000)).toBe(90);
    expect(await readFile(path, 'utf8')).toBe('90\n');
    await rm(path);
    expect(await nextEpoch(path, 91_000)).toBe(91);
    await writeFile(path, 'nonsense');
    await expect(nextEpoch(path, 92_000)).rejects.toMatchObject({ code: 'CLY_EPOCH_FILE' });
  });

  it('give new keys to an intake that runs, at most once a second', async () => {
    const path = join(folder, 'credentials.json');
    const write = (...ids: string[]) =>
      writeFile(path, JSON.stringify({ credentials: ids.map((id) => entry(id)) }), { mode: 0o600 });
    const clock = new SimClock();
    await write('one');
    const file = await CredentialsFile.open(path, { clock, logger: silentLogger });
    await write('one', 'two');
    await file.refresh();
    expect(file.get('two')).toBeUndefined();
    await clock.advance(1_000);
    await file.refresh();
    expect(file.get('two')).toMatchObject({ tenant: 'acme' });
    await writeFile(path, '{');
    await clock.advance(1_000);
    await file.refresh();
    expect(file.get('one')).toBeDefined();
    await chmod(path, 0o644);
    await expect(CredentialsFile.open(path, { clock, logger: silentLogger })).rejects.toThrow('chmod 600');
  });
});

describe('parseCredentials', () => {
  const parse = (...credentials: object[]) => parseCredentials(Buffer.from(JSON.stringify({ credentials })));

  it('reads keys and any actor', () => {
    expect(parse(entry('a', { actors: '*' })).get('a')?.actors).toEqual(['*']);
  });

  it.each([
    [[entry('a'), entry('a')]],
    [[entry('a', { secret: 'c2hvcnQ=' })]],
    [[entry('a', { actors: [] })]],
    [[entry('a', { actors: ['*', 'bot'] })]],
    [[entry('a', { actors: ['1', '2', '3', '4', '5', '6', '7'] })]],
    [[entry('a', { tenant: 'Acme' })]],
    [[entry('')]],
  ])('refuses %j without showing a secret', (credentials) => {
    expect(() => parse(...credentials)).toThrow(expect.objectContaining({ code: 'CLY_CREDENTIALS_INVALID' }));
    expect(() => parse(...credentials)).not.toThrow(/c2hvcnQ|AQEBAQ/);
  });
});

describe('random ids', () => {
  it('carry their time', () => {
    const eventId = mintEventId(1_750_000_000_123, new SeededRandom(1));
    expect(eventId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(mintedAtMs(eventId)).toBe(1_750_000_000_123);
    expect(mintedAtMs('00000000-0000-4000-8000-000000000000')).toBeUndefined();
  });

  it('never get the same bytes of a pool', () => {
    let draws = 0;
    const random = pooledRandom({
      bytes: (size) => {
        draws += 1;
        return Uint8Array.from({ length: size }, (_, index) => (index + draws) % 251);
      },
    });
    const drawn = Array.from({ length: 300 }, () => Buffer.from(random.bytes(16)).toString('hex'));
    expect(draws).toBe(2);
    expect(drawn.join('').length).toBe(300 * 32);
    expect(random.bytes(5_000)).toHaveLength(5_000);
  });
});
