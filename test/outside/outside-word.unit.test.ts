// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { buildTrustRoot, type TrustRootFile } from '@clyra/adapter-signing/trust-root-file';
import { OutsideWord } from '@clyra/bundler/outside/outside-word';
import { WitnessServer } from '@clyra/cli/witness/witness-server';
import { WitnessState } from '@clyra/cli/witness/witness-state';
import { digestOf } from '@clyra/core/canonical/digest';
import { bundleLocation, checkpointName } from '@clyra/core/evidence/bundle-names';
import { signCheckpoint } from '@clyra/core/evidence/checkpoint';
import { cosignedAt, witnessOf } from '@clyra/core/evidence/cosignature';
import { parseNote, parseNoteLine } from '@clyra/core/evidence/note';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { leafHash } from '@clyra/core/merkle/hash';
import { readTimeStamp } from '@clyra/core/timestamp/read-token';
import { TsaServer } from '@clyra/stack/tsa/tsa-server';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { realClock } from '@clyra/testing/real-clock';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const run = promisify(execFile);
const NAME = 'witness.example/w1';
const TENANT = 'acme';
const ORIGIN = 'acme.example/log/acme';
const FAR_MS = 4_102_444_800_000;
const [rootKey, logKey, witnessKey] = [memorySigner(), memorySigner(), memorySigner()];
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const random = { bytes: (size: number) => randomBytes(size) };

let folder: string;
let tsa: TsaServer;
let witness: WitnessServer;
let trust: TrustRootFile;
let blobs: MemoryBlobStore;
let tree: CompactRange;
const open: OutsideWord[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-outside-'));
  tsa = await TsaServer.start({ folder: join(folder, 'tsa'), clock: realClock, port: 0 });
  const window = { validFromMs: 0, validToMs: FAR_MS };
  const mine = { ...window, operator: 'acme', subject: 'acme' };
  trust = await buildTrustRoot(
    {
      version: 1,
      expiresAtMs: FAR_MS,
      logOrigin: 'acme.example/log',
      singleOperator: false,
      keys: [
        { ...mine, publicKey: rootKey.publicKey, roles: ['root'] },
        { ...mine, publicKey: logKey.publicKey, roles: ['log', 'bundler'] },
        { ...window, operator: 'w', subject: 'w', name: NAME, publicKey: witnessKey.publicKey, roles: ['witness'] },
      ],
      timeAuthorities: [{ ...window, name: 'tsa', operator: 't', certificate: tsa.files.rootCertificate }],
    },
    [rootKey],
  );
  witness = await startWitness(0);
  blobs = new MemoryBlobStore();
  await blobs.put(`trust-roots/${trust.trustRoot.digest}`, trust.bytes);
  tree = new CompactRange();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((outside) => outside.stop()));
  await Promise.all([tsa.stop(), witness.stop()]);
  await rm(folder, { recursive: true, force: true });
});

function startWitness(port: number): Promise<WitnessServer> {
  return WitnessServer.start({
    name: NAME,
    signer: witnessKey,
    trustRoot: trust.trustRoot,
    state: new WitnessState(join(folder, 'witness')),
    clock: realClock,
    host: '127.0.0.1',
    port,
    say: () => {},
  });
}

function fileOf(journal: Uint8Array): { sha256: string; size: number } {
  return { sha256: digestOf(journal), size: journal.length };
}

/** A bundle as far as somebody outside has to do with it. */
async function seal(lines: readonly string[]): Promise<{ tenant: string; start: number; end: number }> {
  const start = tree.size;
  const frontier = tree.roots;
  for (const line of lines) tree.append(leafHash(Buffer.from(line)));
  const end = tree.size;
  const location = bundleLocation(TENANT, { start, end });
  const journal = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const checkpoint = await signCheckpoint({ origin: ORIGIN, size: end, root: tree.root() }, logKey);
  const manifest = { trust_root: trust.trustRoot.digest, frontier, journal: fileOf(journal) };
  await blobs.put(`${location}/journal.jsonl`, journal);
  await blobs.put(`${location}/manifest.json`, Buffer.from(JSON.stringify(manifest)));
  await blobs.put(checkpointName(TENANT, end), checkpoint);
  await blobs.put(`${location}/checkpoint`, checkpoint);
  await blobs.put(`${location}/manifest.dsse.json`, Buffer.from('{}'));
  return { tenant: TENANT, start, end };
}

async function outside(urls: { tsa?: string; witness?: string } = {}): Promise<OutsideWord> {
  const made = new OutsideWord({
    blobs,
    clock: realClock,
    logger: quiet,
    random,
    tsaUrls: [urls.tsa ?? tsa.url],
    witnessUrls: [urls.witness ?? witness.url],
    deadlineMs: 2_000,
  });
  open.push(made);
  await made.start();
  return made;
}

/** It hears of no bundle but those it is told of. */
function witnessOnly(): OutsideWord {
  const made = new OutsideWord({
    ...{ blobs, clock: realClock, logger: quiet, random, deadlineMs: 2_000 },
    tsaUrls: [],
    witnessUrls: [witness.url],
  });
  open.push(made);
  return made;
}

async function settled(made: OutsideWord): Promise<void> {
  for (let waits = 0; made.status().some(({ waiting }) => waiting > 0); waits += 1) {
    if (waits > 200) throw new Error(`still waiting: ${JSON.stringify(made.status())}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const filesOf = async (bundle: { start: number; end: number }, kind: string): Promise<readonly Uint8Array[]> => {
  const names = await blobs.list(`${bundleLocation(TENANT, bundle)}/${kind}/`);
  return Promise.all(names.map(async (name) => (await blobs.get(name)) as Uint8Array));
};

describe('a sealed checkpoint', () => {
  it('is stamped by a TSA and cosigned by a witness, bundle after bundle', async () => {
    const made = await outside();
    for (const count of [3, 1, 7, 64]) {
      const bundle = await seal(Array.from({ length: count }, (_, index) => `{"n":${tree.size + index}}`));
      made.sealed(bundle);
      await settled(made);
      const checkpoint = (await blobs.get(`${bundleLocation(TENANT, bundle)}/checkpoint`)) as Uint8Array;
      const [token] = await filesOf(bundle, 'times');
      const [line] = await filesOf(bundle, 'cosignatures');
      const parsed = parseNoteLine(
        Buffer.from(line ?? [])
          .toString()
          .trimEnd(),
      );
      const key = witnessOf(parsed, trust.trustRoot.keys.values());
      expect(key?.name).toBe(NAME);
      expect(cosignedAt(parsed, parseNote(checkpoint).text, key!)).toBeDefined();
      expect(readTimeStamp(token as Uint8Array).genTimeMs).toBeGreaterThan(Date.now() - 60_000);
    }
  });

  it('is stamped over its first five lines, as the recipe with openssl says', async () => {
    const made = await outside();
    const bundle = await seal(['{"n":0}']);
    made.sealed(bundle);
    await settled(made);
    const checkpoint = Buffer.from((await blobs.get(`${bundleLocation(TENANT, bundle)}/checkpoint`)) ?? []);
    const [token] = await filesOf(bundle, 'times');
    const [line] = await filesOf(bundle, 'cosignatures');
    await writeFile(join(folder, 'checkpoint'), Buffer.concat([checkpoint, Buffer.from(line ?? [])]));
    await writeFile(join(folder, 'token.tsr'), token ?? '');
    const recipe = (root: string): string =>
      `head -n 5 checkpoint > sealed && openssl ts -verify -in token.tsr -data sealed -CAfile ${root}`;
    const { stdout } = await run('sh', ['-c', recipe(tsa.files.rootCertificateFile)], { cwd: folder });
    expect(stdout).toContain('Verification: OK');
    await writeFile(join(folder, 'checkpoint'), checkpoint.toString().replace(`${ORIGIN}\n1\n`, `${ORIGIN}\n2\n`));
    await expect(run('sh', ['-c', recipe(tsa.files.rootCertificateFile)], { cwd: folder })).rejects.toThrow('imprint');
  });

  it('waits for a TSA that is away, and nothing waits for it', async () => {
    const made = await outside({ tsa: 'http://127.0.0.1:1/' });
    const bundle = await seal(['{"n":0}']);
    made.sealed(bundle);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await filesOf(bundle, 'cosignatures')).toHaveLength(1);
    expect(await filesOf(bundle, 'times')).toHaveLength(0);
    expect(made.status()[0]).toMatchObject({ waiting: 1, reason: expect.stringContaining('CLY_TSA_UNAVAILABLE') });
    await made.stop();
    await settled(await outside());
    expect(await filesOf(bundle, 'times')).toHaveLength(1);
  });

  it('is asked about once, also after restarts', async () => {
    const bundles = [await seal(['{"n":0}']), await seal(['{"n":1}', '{"n":2}'])];
    for (let starts = 0; starts < 3; starts += 1) await settled(await outside());
    for (const bundle of bundles) {
      expect(await filesOf(bundle, 'times')).toHaveLength(1);
      expect(await filesOf(bundle, 'cosignatures')).toHaveLength(1);
    }
  });

  it('reaches a witness that was away for some bundles, with one proof over all of them', async () => {
    const port = Number(new URL(witness.url).port);
    const made = await outside();
    made.sealed(await seal(['{"n":0}', '{"n":1}', '{"n":2}']));
    await settled(made);
    await made.stop();
    await witness.stop();
    await seal(['{"n":3}']);
    await seal(['{"n":4}', '{"n":5}']);
    const newest = await seal(['{"n":6}']);
    witness = await startWitness(port);
    const body = { tenant: TENANT, start: newest.start, end: newest.end };
    const skipping = witnessOnly();
    skipping.sealed(body);
    await settled(skipping);
    expect(await filesOf(newest, 'cosignatures')).toHaveLength(1);
  });

  it('is left for the next start where a stop comes while large journals are read for a proof', async () => {
    const made = await outside();
    made.sealed(await seal(['{"n":0}', '{"n":1}']));
    await settled(made);
    await made.stop();
    await seal(['{"n":2}']);
    const newest = await seal(['{"n":3}']);
    const read = blobs.read.bind(blobs);
    let pieces = 0;
    blobs.read = async function* () {
      for (; ; pieces += 1) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        yield Buffer.from('{}\n');
      }
    };
    const stopped = await outside();
    while (pieces < 3) await new Promise((resolve) => setTimeout(resolve, 1));
    await stopped.stop();
    expect(await filesOf(newest, 'cosignatures')).toHaveLength(0);
    blobs.read = read;
    await settled(await outside());
    expect(await filesOf(newest, 'cosignatures')).toHaveLength(1);
  });

  it('gets no proof out of a journal that is not what its manifest says', async () => {
    const made = await outside();
    made.sealed(await seal(['{"n":0}', '{"n":1}']));
    await settled(made);
    await seal(['{"n":2}']);
    const newest = await seal(['{"n":3}', '{"n":4}']);
    const damaged = blobs.read.bind(blobs);
    blobs.read = async function* (name) {
      for await (const piece of damaged(name)) yield Buffer.from(piece).fill(0x20, 0, 1);
    };
    const lane = witnessOnly();
    lane.sealed(newest);
    for (let waits = 0; lane.status()[0]?.reason === null && waits < 200; waits += 1) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(lane.status()).toMatchObject([{ waiting: 1, reason: expect.stringMatching(/^CLY_DOCUMENT_DAMAGED/) }]);
    expect(await filesOf(newest, 'cosignatures')).toHaveLength(0);
  });

  it('gets no cosignature for a history that the witness has seen otherwise', async () => {
    const made = await outside();
    made.sealed(await seal(['{"n":0}', '{"n":1}']));
    await settled(made);
    tree = new CompactRange();
    blobs = new MemoryBlobStore();
    await blobs.put(`trust-roots/${trust.trustRoot.digest}`, trust.bytes);
    const forked = await seal(['{"n":0}', '{"n":"other"}']);
    await settled(await outside());
    expect(await filesOf(forked, 'cosignatures')).toHaveLength(0);
  });
});
