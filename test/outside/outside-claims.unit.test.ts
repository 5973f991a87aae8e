// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { buildTrustRoot, type TrustRootKey } from '@clyra/adapter-signing/trust-root-file';
import { requestTimeStamp } from '@clyra/adapter-signing/tsa-client';
import { digestOf } from '@clyra/core/canonical/digest';
import { cosign } from '@clyra/core/evidence/cosignature';
import { parseNote } from '@clyra/core/evidence/note';
import { TsaServer } from '@clyra/stack/tsa/tsa-server';
import { SCRIPT_KEYS, SCRIPT_TRUST, START_MS } from '@clyra/testing/fold-script';
import { History } from '@clyra/testing/history';
import { realClock } from '@clyra/testing/real-clock';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { writeFiles } from '@clyra/testing/write-files';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const FAR_MS = 4_102_444_800_000;
const NAME = 'witness.example/w1';
const witness = memorySigner();
const root = memorySigner();
const random = { bytes: (size: number) => randomBytes(size) };
let folder: string;
let tsa: TsaServer;
let sealed: ReadonlyMap<string, Uint8Array>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-claims-'));
  tsa = await TsaServer.start({ folder: join(folder, 'tsa'), clock: realClock, port: 0 });
  const history = await new History().open();
  await history.request();
  await history.closeWindow();
  const [bundle] = await sealHistory(history);
  sealed = bundle?.files ?? new Map();
});
afterAll(async () => {
  await tsa.stop();
  await rm(folder, { recursive: true, force: true });
});

type Reader = {
  readonly operator?: string;
  readonly thresholds?: { tsa: number; witness: number };
  readonly logRevokedAtMs?: number;
};

/** The reader's trust root is a later version of the one that the bundle names. */
async function trustRoot({ operator = 'elsewhere', thresholds, logRevokedAtMs }: Reader) {
  const window = { validFromMs: 0, validToMs: FAR_MS };
  const revoked = logRevokedAtMs === undefined ? {} : { revoked: { atMs: logRevokedAtMs, reason: 'in other hands' } };
  const keys: TrustRootKey[] = Object.values(SCRIPT_KEYS).map((key) => ({
    ...window,
    ...(key === SCRIPT_KEYS.log ? revoked : {}),
    publicKey: key.publicKey,
    roles: key.roles,
    subject: key.subject,
    operator: 'test',
  }));
  const mine = { ...window, subject: 'x', operator };
  return buildTrustRoot(
    {
      version: 2,
      history: [SCRIPT_TRUST.root.digest],
      expiresAtMs: FAR_MS,
      logOrigin: SCRIPT_TRUST.root.logOrigin,
      singleOperator: false,
      thresholds: { root: 1, tsa: 1, witness: 1, ...thresholds },
      keys: [
        ...keys,
        { ...mine, publicKey: root.publicKey, roles: ['root'] },
        { ...mine, publicKey: witness.publicKey, roles: ['witness'], name: NAME },
      ],
      timeAuthorities: [{ ...window, name: 'tsa', operator, certificate: tsa.files.rootCertificate }],
    },
    [root],
  );
}

/** Writes the bundle with what outsiders said and judges it; `change` may damage files first. */
async function judged(reader: Reader, change: (files: Map<string, Uint8Array>) => void = () => {}) {
  const { bytes, trustRoot: read } = await trustRoot(reader);
  const files = new Map(sealed);
  const checkpoint = files.get('checkpoint') as Uint8Array;
  const { token } = await requestTimeStamp(
    checkpoint,
    { url: tsa.url, deadlineMs: 5_000, random },
    read.timeAuthorities,
  );
  files.set(`times/${digestOf(token)}.tsr`, token);
  const by = { name: NAME, signer: witness, seconds: Math.floor(Date.now() / 1_000) };
  const line = Buffer.from(await cosign(parseNote(checkpoint).text, by), 'utf8');
  files.set(`cosignatures/${digestOf(line)}`, line);
  change(files);
  const directory = await mkdtemp(join(folder, 'bundle-'));
  writeFiles(directory, files);
  const trustRootFile = join(folder, 'trust-root.json');
  await writeFile(trustRootFile, bytes);
  const { claims } = await verifyBundle({ directory, trustRootFile, mode: 'full' });
  const claim = (id: string) => claims.find((one) => one.id === id);
  return ['authorship', 'time', 'witness'].map((id) => [claim(id)?.status, claim(id)?.code ?? null]);
}

const replace = (files: Map<string, Uint8Array>, named: (digest: string) => string, content: Uint8Array): void => {
  const folder = dirname(named('x'));
  for (const name of [...files.keys()]) if (dirname(name) === folder) files.delete(name);
  files.set(named(digestOf(content)), content);
};
const PASS = ['PASS', null];

describe('a bundle with outside words, read by the verifier under a later trust root', () => {
  it('has time and witness', async () => {
    expect(await judged({})).toEqual([PASS, PASS, PASS]);
  });

  it('has neither when the log speaks for itself, or when more are asked for', async () => {
    const inside = await judged({ operator: 'test' });
    expect(inside).toEqual([PASS, ['PARTIAL', 'CLY_TIME_INSIDE'], ['PARTIAL', 'CLY_WITNESS_INSIDE']]);
    const two = await judged({ thresholds: { tsa: 2, witness: 2 } });
    expect(two).toEqual([PASS, ['PARTIAL', 'CLY_TIME_QUORUM'], ['PARTIAL', 'CLY_WITNESS_QUORUM']]);
  });

  it('outlives its log key when it was stamped before the revocation, and only then', async () => {
    expect((await judged({ logRevokedAtMs: Date.now() + 3_600_000 }))[0]).toEqual(PASS);
    expect((await judged({ logRevokedAtMs: START_MS + 86_400_000 }))[0]).toEqual(['FAIL', 'CLY_KEY_REVOKED']);
    const undated = (files: Map<string, Uint8Array>): void => {
      for (const name of [...files.keys()]) if (name.startsWith('times/')) files.delete(name);
    };
    const late = await judged({ logRevokedAtMs: Date.now() + 3_600_000 }, undated);
    expect(late.slice(0, 2)).toEqual([
      ['FAIL', 'CLY_KEY_REVOKED_UNDATED'],
      ['ABSENT', 'CLY_TIME_ABSENT'],
    ]);
  });

  it('fails with a token over something else and with a cosignature that was changed', async () => {
    const { trustRoot: read } = await trustRoot({});
    const options = { url: tsa.url, deadlineMs: 5_000, random };
    const { token } = await requestTimeStamp(Buffer.from('else'), options, read.timeAuthorities);
    const other = await judged({}, (files) => replace(files, (digest) => `times/${digest}.tsr`, token));
    expect(other[1]).toEqual(['FAIL', 'CLY_TIME_IMPRINT']);
    const by = { name: NAME, signer: witness, seconds: 5 };
    const line = Buffer.from(await cosign('another note\n', by), 'utf8');
    const forged = await judged({}, (files) => replace(files, (digest) => `cosignatures/${digest}`, line));
    expect(forged[2]).toEqual(['FAIL', 'CLY_WITNESS_SIGNATURE']);
  });
});
