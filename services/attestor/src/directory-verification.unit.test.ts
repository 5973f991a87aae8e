// SPDX-License-Identifier: Apache-2.0
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
import { SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { MemoryBlobStore } from '@clyra/testing/memory-blob-store';
import { putBundle, type SealedBundle, sealHistory } from '@clyra/testing/sealed-bundles';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Finding } from './bundle-verification.ts';
import { DirectoryVerification } from './directory-verification.ts';
import { standardPolicy } from './verification-policy.ts';

async function eventfulHistory(): Promise<History> {
  const history = await new History().open();
  await history.run('run.opened', 'run-1');
  for (let index = 0; index < 80; index += 1) {
    history.nowMs += 50;
    const request = await history.request({}, index % 2 === 0 ? { run_id: 'run-1' } : {});
    await history.outcome(request.folded.eventId);
    if (index % 3 !== 0) await history.transaction({ tokens: [grantedToken(request) ?? ''] });
    if (index % 20 === 7) await history.transaction({ relations: [{ deletes: 3 }] });
    if (index % 20 === 9) await history.gap();
    if (index % 10 === 9) await history.watermark();
    if (index % 25 === 24) await history.closeWindow();
  }
  await history.run('run.closed', 'run-1');
  return history;
}

describe('verifying a bundle in a folder', () => {
  let workDir: string;
  let bundles: readonly SealedBundle[];
  let trustRootFile: string;

  beforeAll(async () => {
    workDir = await mkdtemp(join(tmpdir(), 'clyra-attestor-'));
    trustRootFile = join(workDir, 'trust-root.json');
    await writeFile(trustRootFile, SCRIPT_TRUST.bytes);
    bundles = await sealHistory(await eventfulHistory());
  });
  afterAll(() => rm(workDir, { recursive: true, force: true }));

  async function verify(bundle: SealedBundle, file = trustRootFile): Promise<Finding> {
    const blobs = new MemoryBlobStore();
    await putBundle(blobs, bundle);
    const options = { blobs, workDir: join(workDir, 'work'), trustRootFile: file, policy: standardPolicy() };
    const { location, manifest_digest: manifestDigest } = bundle.envelope;
    return new DirectoryVerification(options).verify({ location, manifestDigest });
  }

  it('passes every bundle of a history, each claim that a bundle can prove by itself', async () => {
    expect(bundles.length).toBe(4);
    for (const bundle of bundles) {
      const { passed, claims, verifier } = await verify(bundle);
      const byId = Object.fromEntries(claims.map(({ id, status }) => [id, status]));
      expect(byId).toMatchObject({
        integrity: 'PASS',
        order: 'PASS',
        completeness: 'PASS',
        authorship: 'PASS',
        policy: 'PASS',
      });
      expect(['PASS', 'PARTIAL']).toContain(byId['reconciliation']);
      expect([passed, verifier.name, verifier.mode]).toEqual([true, '@clyra/verifier', 'full']);
    }
    expect(await readdir(join(workDir, 'work'))).toEqual([]);
  });

  it.each([0, 1, 2, 3])('fails bundle %i when a byte of its journal is another', async (index) => {
    const bundle = bundles[index] as SealedBundle;
    const journal = Buffer.from(bundle.files.get('journal.jsonl') ?? []);
    const at = journal.indexOf('"intake_at":17') + 14;
    journal[at] = journal[at] === 0x39 ? 0x38 : 0x39;
    const finding = await verify({ ...bundle, files: new Map([...bundle.files, ['journal.jsonl', journal]]) });
    expect([finding.passed, finding.claims.find(({ id }) => id === 'integrity')?.status]).toEqual([false, 'FAIL']);
  });

  it('fails a bundle that is not the one announced', async () => {
    const bundle = bundles[0] as SealedBundle;
    const other = { ...bundle, envelope: { ...bundle.envelope, manifest_digest: '0'.repeat(64) } };
    expect(await verify(other)).toMatchObject({ passed: false, verdict: 'manifest_other' });
  });

  it('reads a bundle again that is not whole yet, and says nothing about it', async () => {
    const bundle = bundles[0] as SealedBundle;
    const files = new Map([...bundle.files].filter(([name]) => name !== 'manifest.dsse.json'));
    await expect(verify({ ...bundle, files })).rejects.toMatchObject({
      code: 'CLY_ATTEST_UNREADABLE',
      retry: 'backoff',
    });
  });

  it('has one piece of a file in memory, whatever the size of the file', async () => {
    const bundle = bundles[0] as SealedBundle;
    const blobs = new MemoryBlobStore();
    await putBundle(blobs, bundle);
    const { location, manifest_digest: manifestDigest } = bundle.envelope;
    const large = `${location}/artifacts/${'0'.repeat(64)}`;
    const names = [...(await blobs.list(`${location}/`)), large];
    const work = join(workDir, 'large');
    const read = blobs.read.bind(blobs);
    blobs.list = async () => names;
    blobs.get = () => Promise.reject(new Error('read whole'));
    blobs.read = (name) => (name === large ? pieces(work) : read(name));
    const options = { blobs, workDir: work, trustRootFile, policy: standardPolicy() };
    // A file that the manifest does not name: the verifier judges it, so it was laid out whole.
    const finding = await new DirectoryVerification(options).verify({ location, manifestDigest });
    expect(finding).toMatchObject({ passed: false, verdict: 'invalid' });
  });

  it('says nothing about a bundle of which a file is cut short, and leaves nothing behind', async () => {
    const bundle = bundles[0] as SealedBundle;
    const blobs = new MemoryBlobStore();
    await putBundle(blobs, bundle);
    const { location, manifest_digest: manifestDigest } = bundle.envelope;
    blobs.read = async function* () {
      yield Buffer.from('{');
      throw new ClyraError('CLY_BLOB_UNAVAILABLE', 'cut short', { retry: 'backoff' });
    };
    const options = { blobs, workDir: join(workDir, 'cut'), trustRootFile, policy: standardPolicy() };
    const verifying = new DirectoryVerification(options).verify({ location, manifestDigest });
    await expect(verifying).rejects.toMatchObject({ code: 'CLY_BLOB_UNAVAILABLE', retry: 'backoff' });
    expect(await readdir(join(workDir, 'cut'))).toEqual([]);
  });

  it.each(['../../../kept', '', 'a/../../../../kept', '/'])(
    'writes nothing for a name that no blob has: %p',
    async (rest) => {
      const bundle = bundles[0] as SealedBundle;
      const blobs = new MemoryBlobStore();
      await putBundle(blobs, bundle);
      const { location, manifest_digest: manifestDigest } = bundle.envelope;
      const names = [...(await blobs.list(`${location}/`)), `${location}/${rest}`];
      blobs.list = async () => names;
      const kept = join(workDir, 'kept');
      await writeFile(kept, 'kept');
      const options = { blobs, workDir: join(workDir, 'names'), trustRootFile, policy: standardPolicy() };
      const verifying = new DirectoryVerification(options).verify({ location, manifestDigest });
      await expect(verifying).rejects.toMatchObject({ code: 'CLY_BLOB_NAME', retry: 'never' });
      expect(await readFile(kept, 'utf8')).toBe('kept');
    },
  );

  it('removes what killed processes left behind', async () => {
    const work = join(workDir, 'work');
    for (const folder of ['bundle-Abc123/bundle/artifacts', 'left-bundle-Def456/bundle']) {
      await mkdir(join(work, folder), { recursive: true });
      await writeFile(join(work, folder, 'large'), 'x');
    }
    expect(await verify(bundles[0] as SealedBundle)).toMatchObject({ passed: true });
    expect(await readdir(work)).toEqual([]);
  });

  it('says nothing about a bundle that another process removed while it was laid out', async () => {
    const bundle = bundles[0] as SealedBundle;
    const blobs = new MemoryBlobStore();
    await putBundle(blobs, bundle);
    const { location, manifest_digest: manifestDigest } = bundle.envelope;
    const work = join(workDir, 'shared');
    const options = { blobs, workDir: work, trustRootFile, policy: standardPolicy() };
    const verification = new DirectoryVerification(options);
    const read = blobs.read.bind(blobs);
    let isOther = true;
    blobs.read = async function* (name) {
      if (isOther && name.endsWith('/journal.jsonl')) {
        isOther = false;
        expect(await new DirectoryVerification(options).verify({ location, manifestDigest })).toMatchObject({
          passed: true,
        });
      }
      yield* read(name);
    };
    const first = verification.verify({ location, manifestDigest });
    await expect(first).rejects.toMatchObject({ code: 'CLY_ATTEST_UNREADABLE', retry: 'backoff' });
    expect(await verification.verify({ location, manifestDigest })).toMatchObject({ passed: true });
    expect(await readdir(work)).toEqual([]);
  });

  it('waits for a disk that it cannot lay a bundle out on', async () => {
    const file = join(workDir, 'file');
    await writeFile(file, '');
    const options = {
      blobs: new MemoryBlobStore(),
      workDir: join(file, 'work'),
      trustRootFile,
      policy: standardPolicy(),
    };
    const verifying = new DirectoryVerification(options).verify({ location: 'bundles/acme/0-1', manifestDigest: '' });
    await expect(verifying).rejects.toMatchObject({ code: 'CLY_ATTEST_WORK_DIR', retry: 'backoff' });
  });

  it('says nothing without a trust root', async () => {
    const broken = join(workDir, 'broken.json');
    await writeFile(broken, '{}');
    await expect(verify(bundles[0] as SealedBundle, broken)).rejects.toMatchObject({ code: 'CLY_ATTEST_VERIFIER' });
  });
});

/** 48 MiB, each piece of which comes only once the one before the last is on the disk. */
async function* pieces(work: string): AsyncGenerator<Uint8Array> {
  const piece = Buffer.alloc(BLOB_PIECE_BYTES_MAX, 1);
  for (let count = 0; count < 48; count += 1) {
    yield piece;
    const [folder = ''] = await readdir(work);
    const { size } = await stat(join(work, folder, 'bundle', 'artifacts', '0'.repeat(64)));
    expect(size).toBe((count + 1) * piece.length);
  }
}
