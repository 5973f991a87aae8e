// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { S3BlobStore } from '@clyra/adapter-blob/s3-blob-store';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { blobStoreContract } from '@clyra/testing/contract/blob-store-contract';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MotoServer } from './moto-server.ts';

const CREDENTIALS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
const DAY_MS = 86_400_000;
let moto: MotoServer;
let client: S3Client;

beforeAll(async () => {
  Object.assign(process.env, CREDENTIALS);
  moto = await MotoServer.start();
  client = new S3Client({ endpoint: moto.endpoint, forcePathStyle: true });
}, 300_000);
afterAll(() => moto.stop());

async function bucket(lockable: boolean): Promise<string> {
  const name = `clyra-${randomUUID()}`;
  await client.send(new CreateBucketCommand({ Bucket: name, ObjectLockEnabledForBucket: lockable }));
  return name;
}

const open = (name: string, options = ''): Promise<BlobStore> =>
  openBlobStore(`s3://${name}/evidence#endpoint=${moto.endpoint}&deadline_ms=10000${options}`, realClock);
const LOCKED = '&retention_mode=compliance&retention_days=30';
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const keyOf = (name: string): string => `evidence/${name}`;

blobStoreContract('S3BlobStore without a lock', async () => open(await bucket(false)));
blobStoreContract('S3BlobStore under Object Lock', async () => open(await bucket(true), LOCKED));

describe('S3BlobStore under Object Lock', () => {
  it('locks each blob for as long as it is asked to, and nobody deletes it', async () => {
    const name = await bucket(true);
    const store = await open(name, LOCKED);
    await store.put('bundles/acme/checkpoint', bytes('head'));
    const place = { Bucket: name, Key: keyOf('bundles/acme/checkpoint') };
    const head = await client.send(new HeadObjectCommand(place));
    expect(head.ObjectLockMode).toBe('COMPLIANCE');
    const days = (Number(head.ObjectLockRetainUntilDate) - Date.now()) / DAY_MS;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
    for (const BypassGovernanceRetention of [false, true]) {
      const command = new DeleteObjectCommand({ ...place, VersionId: head.VersionId, BypassGovernanceRetention });
      await expect(client.send(command)).rejects.toMatchObject({ name: 'AccessDenied' });
    }
    expect(Buffer.from((await store.get('bundles/acme/checkpoint')) ?? []).toString()).toBe('head');
  });

  it('tells a blob that a delete marker hides from one that never was, and does not write it anew', async () => {
    const name = await bucket(true);
    const store = await open(name, LOCKED);
    await store.put('a', bytes('one'));
    await client.send(new DeleteObjectCommand({ Bucket: name, Key: keyOf('a') }));
    const hidden = { code: 'CLY_BLOB_HIDDEN', retry: 'never' };
    await expect(store.get('a')).rejects.toMatchObject(hidden);
    await expect(store.has('a')).rejects.toMatchObject(hidden);
    await expect(store.put('a', bytes('two'))).rejects.toMatchObject(hidden);
    expect(await store.get('b')).toBeUndefined();
    const { Versions: versions = [] } = await client.send(new ListObjectVersionsCommand({ Bucket: name }));
    expect(versions.some(({ Size: size }) => size === 3)).toBe(true);
  });

  it('is not opened on a bucket that cannot lock', async () => {
    await expect(open(await bucket(false), LOCKED)).rejects.toMatchObject({ code: 'CLY_BLOB_RETENTION' });
  });

  it('refuses a blob that somebody else wrote there without a lock', async () => {
    const name = await bucket(true);
    await (await open(name)).put('a', bytes('one'));
    await expect((await open(name, LOCKED)).put('a', bytes('one'))).rejects.toMatchObject({
      code: 'CLY_BLOB_RETENTION',
    });
  });
});

describe('S3BlobStore', () => {
  it('takes a stream that is larger than what stays in memory', async () => {
    const store = await open(await bucket(false));
    const piece = Buffer.alloc(1_048_576, 7);
    const stream = async function* (): AsyncIterable<Uint8Array> {
      for (let count = 0; count < 10; count += 1) yield piece;
    };
    await store.put('large', stream());
    expect(await store.get('large')).toHaveLength(10 * piece.length);
  });

  it('lists more names than one page has', async () => {
    const { endpoint } = moto;
    const options = { bucket: await bucket(false), prefix: '', endpoint, deadlineMs: 10_000, clock: realClock };
    const store = await S3BlobStore.open({ ...options, listPageSize: 3 });
    const names = Array.from({ length: 10 }, (_, index) => `n/${index}`);
    for (const name of names) await store.put(name, bytes(name));
    expect(await store.list('n/')).toEqual(names);
  });

  it('lets one of two writers win, and the other see that it said something else', async () => {
    const name = await bucket(false);
    const stores = await Promise.all([open(name), open(name)]);
    const ends = await Promise.allSettled(stores.map((store, index) => store.put('race', bytes(`writer ${index}`))));
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(reasons).toMatchObject([{ code: 'CLY_BLOB_CONFLICT' }]);
  });

  it('says "later" when nobody answers, and "never" when the bucket is not there', async () => {
    const nobody = await openBlobStore('s3://clyra-none#endpoint=http://127.0.0.1:1&deadline_ms=1000', realClock);
    await expect(nobody.get('a')).rejects.toMatchObject({ code: 'CLY_BLOB_UNAVAILABLE', retry: 'backoff' });
    const missing = await open('clyra-no-such-bucket');
    await expect(missing.put('a', bytes('x'))).rejects.toMatchObject({ code: 'CLY_BLOB_REFUSED', retry: 'never' });
    await expect(missing.get('a')).rejects.toMatchObject({ code: 'CLY_BLOB_REFUSED', retry: 'never' });
  });

  it.each([
    's3://',
    's3://UPPER',
    's3://bucket#colour=red',
    's3://bucket#retention_days=3',
    's3://bucket#deadline_ms=0',
  ])('refuses the setting %s', async (where) => {
    await expect(openBlobStore(where, realClock)).rejects.toMatchObject({ code: 'CLY_BLOB_SETTING' });
  });
});
