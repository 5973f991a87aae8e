// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { buildTrustRoot } from '@clyra/adapter-signing/trust-root-file';
import { requestCosignature } from '@clyra/adapter-signing/witness-client';
import type { Digest } from '@clyra/core/canonical/digest';
import { signCheckpoint } from '@clyra/core/evidence/checkpoint';
import { cosignedAt, witnessOf } from '@clyra/core/evidence/cosignature';
import { parseNote, parseNoteLine } from '@clyra/core/evidence/note';
import { encodeWitnessRequest } from '@clyra/core/evidence/witness-request';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { leafHash } from '@clyra/core/merkle/hash';
import { consistencySpans, SpanRoots } from '@clyra/core/merkle/spans';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { realClock } from '@clyra/testing/real-clock';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { WitnessServer } from './witness-server.ts';
import { WitnessState } from './witness-state.ts';

const NAME = 'witness.example/w1';
const [root, log, key] = [memorySigner(), memorySigner(), memorySigner()];
let folder: string;
let trustRoot: TrustRoot;
let witness: WitnessServer;
let said: string[];

/** A log of which two histories can be told: leaves from `forkAt` on differ. */
class Log {
  readonly origin = 'acme.example/log/crm';
  readonly forkAt: number;
  constructor(forkAt = Number.POSITIVE_INFINITY) {
    this.forkAt = forkAt;
  }
  leaf = (index: number): Digest => leafHash(Buffer.from(index >= this.forkAt ? `other ${index}` : `leaf ${index}`));
  async checkpoint(size: number, signer = log): Promise<Uint8Array> {
    const tree = new CompactRange();
    for (let index = 0; index < size; index += 1) tree.append(this.leaf(index));
    return signCheckpoint({ origin: this.origin, size, root: tree.root() }, signer);
  }
  proofTo =
    (size: number) =>
    async (older: number): Promise<readonly Digest[]> => {
      if (older === size) return [];
      const spans = new SpanRoots(consistencySpans(older, size), { start: 0, frontier: [] });
      for (let index = 0; index < size; index += 1) spans.append(this.leaf(index));
      return spans.roots();
    };
}

async function start(): Promise<void> {
  witness = await WitnessServer.start({
    name: NAME,
    signer: key,
    trustRoot,
    state: new WitnessState(folder),
    clock: realClock,
    host: '127.0.0.1',
    port: 0,
    say: (text) => said.push(text),
  });
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-witness-'));
  said = [];
  const window = { validFromMs: 0, validToMs: 4_102_444_800_000 };
  const mine = { ...window, subject: 'acme', operator: 'acme' };
  ({ trustRoot } = await buildTrustRoot(
    {
      version: 1,
      expiresAtMs: 4_102_444_800_000,
      logOrigin: 'acme.example/log',
      singleOperator: false,
      keys: [
        { ...mine, publicKey: root.publicKey, roles: ['root'] },
        { ...mine, publicKey: log.publicKey, roles: ['log'] },
        { ...window, subject: 'w', operator: 'elsewhere', name: NAME, publicKey: key.publicKey, roles: ['witness'] },
      ],
    },
    [root],
  ));
  await start();
});
afterEach(async () => {
  await witness.stop();
  await rm(folder, { recursive: true, force: true });
});

const ask = async (of: Log, size: number, lastSize = 0) =>
  requestCosignature(
    await of.checkpoint(size),
    { trustRoot, lastSize, proofFrom: of.proofTo(size) },
    { url: witness.url, deadlineMs: 3_000 },
  );
const post = async (body: Uint8Array) =>
  fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body: Buffer.from(body) });

describe('a witness', () => {
  it('cosigns a log as it grows, in a line that readers of the trust root know', async () => {
    const honest = new Log();
    for (const [size, last] of [
      [3, 0],
      [3, 3],
      [7, 3],
      [64, 7],
    ] as const) {
      const { line, seconds } = await ask(honest, size, last);
      const note = parseNote(await honest.checkpoint(size));
      const parsed = parseNoteLine(line.trimEnd());
      const found = witnessOf(parsed, trustRoot.keys.values());
      expect(found?.name).toBe(NAME);
      expect(cosignedAt(parsed, note.text, found!)).toBe(seconds);
      expect(cosignedAt(parsed, note.text.replace(String(size), '99'), found!)).toBeUndefined();
      expect(Math.abs(seconds - Date.now() / 1_000)).toBeLessThan(5);
      const whole = Buffer.concat([Buffer.from(await honest.checkpoint(size)), Buffer.from(line)]);
      expect(parseNote(whole).lines).toHaveLength(2);
    }
  });

  it('tells a log that has lost count which size it knows, also after a restart', async () => {
    const honest = new Log();
    await ask(honest, 5);
    await witness.stop();
    await start();
    const answer = await post(encodeWitnessRequest({ oldSize: 0, proof: [], checkpoint: await honest.checkpoint(9) }));
    expect([answer.status, answer.headers.get('content-type'), await answer.text()]).toEqual([
      409,
      'text/x.tlog.size',
      '5\n',
    ]);
    await expect(ask(honest, 9, 0)).resolves.toMatchObject({ keyId: key.keyId });
  });

  it('cosigns no second history, and keeps what proves it', async () => {
    await ask(new Log(), 8);
    await expect(ask(new Log(3), 8, 8)).rejects.toMatchObject({ code: 'CLY_WITNESS_FORK', retry: 'never' });
    expect(said.some((text) => text.startsWith('FORK'))).toBe(true);
    const [origin = ''] = await readdir(folder);
    expect((await readdir(join(folder, origin))).filter((name) => name.startsWith('fork-'))).toHaveLength(1);
    await expect(ask(new Log(3), 12, 8)).rejects.toMatchObject({ code: 'CLY_WITNESS_FORK' });
    await expect(ask(new Log(), 12, 8)).resolves.toMatchObject({ keyId: key.keyId });
  });

  it('never goes back', async () => {
    const honest = new Log();
    await ask(honest, 8);
    await expect(ask(honest, 4, 0)).rejects.toMatchObject({ code: 'CLY_WITNESS_REFUSED' });
    const body = encodeWitnessRequest({ oldSize: 8, proof: [], checkpoint: await honest.checkpoint(4) });
    expect((await post(body)).status).toBe(400);
  });

  it('gives one of two that come at once the cosignature and both the truth', async () => {
    const honest = new Log();
    await ask(honest, 2);
    const ends = await Promise.all([ask(honest, 6, 2), ask(honest, 6, 2), ask(honest, 6, 2)]);
    expect(new Set(ends.map(({ keyId }) => keyId))).toEqual(new Set([key.keyId]));
  });

  it.each([
    ['another key', 403, async () => new Log().checkpoint(4, memorySigner())],
    [
      'an unknown origin',
      404,
      async () => signCheckpoint({ origin: 'else.example/x', size: 4, root: 'ab'.repeat(32) }, log),
    ],
    ['no checkpoint', 400, async () => Buffer.from('hello\n')],
    ['a number that is none', 400, async () => Buffer.from('acme.example/log/crm\n04\nAAAA\n\n— x y\n')],
  ])('refuses %s', async (_, status, checkpoint) => {
    expect((await post(encodeWitnessRequest({ oldSize: 0, proof: [], checkpoint: await checkpoint() }))).status).toBe(
      status,
    );
  });

  it('keeps its limits', async () => {
    expect((await post(Buffer.alloc(40_000, 'x'))).status).toBe(413);
    expect((await post(Buffer.from('old -1\n\nx'))).status).toBe(400);
    expect((await post(Buffer.from(`old 1\n${'A'.repeat(43)}=\n`.repeat(70)))).status).toBe(400);
    expect((await fetch(`${witness.url}/other`)).status).toBe(404);
    expect((await fetch(`${witness.url}/add-checkpoint`)).status).toBe(405);
  });

  it('is asked again later when it is away', async () => {
    const honest = new Log();
    const given = { trustRoot, lastSize: 0, proofFrom: honest.proofTo(2) };
    const away = requestCosignature(await honest.checkpoint(2), given, {
      url: 'http://127.0.0.1:1',
      deadlineMs: 1_000,
    });
    await expect(away).rejects.toMatchObject({ code: 'CLY_WITNESS_UNAVAILABLE', retry: 'backoff' });
  });
});
