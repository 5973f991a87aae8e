// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { BLOB_PIECE_BYTES_MAX } from '@clyra/core/ports/blob-store';
import { realClock } from '@clyra/testing/real-clock';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { S3BlobStore } from './s3-blob-store.ts';

const DEADLINE_MS = 400;
const PIECE = Buffer.alloc(BLOB_PIECE_BYTES_MAX, 7);
const CONTENT = Buffer.concat([PIECE, PIECE, PIECE.subarray(0, 5)]);
const SHA256 = createHash('sha256').update(CONTENT).digest('base64');

/** What an object store, or the network before it, does to the answer to GetObject, by the name of the object. */
const ANSWERS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  whole: (response) => begin(response).end(CONTENT),
  missing: (response) => response.writeHead(404).end('<Error><Code>NoSuchKey</Code></Error>'),
  short: (response) => void begin(response).write(PIECE, () => response.destroy()),
  damaged: (response) => begin(response).end(Buffer.concat([CONTENT.subarray(1), Buffer.of(8)])),
  stalls: (response) => void begin(response).write(PIECE),
  // Each piece in time, all of them not within one deadline.
  slow: (response) => {
    begin(response).flushHeaders();
    [PIECE, PIECE, PIECE.subarray(0, 5)].forEach((piece, index, all) => {
      setTimeout(() => (index === all.length - 1 ? response.end(piece) : response.write(piece)), (index + 1) * 250);
    });
  },
};

function begin(response: ServerResponse): ServerResponse {
  return response.writeHead(200, { 'content-length': CONTENT.length, 'x-amz-checksum-sha256': SHA256 });
}

describe('S3BlobStore reading piece by piece', () => {
  let server: Server;
  let store: S3BlobStore;
  let closed: Promise<unknown> = Promise.resolve();

  beforeAll(async () => {
    Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' });
    server = createServer((request, response) => {
      closed = once(response, 'close');
      ANSWERS[new URL(request.url ?? '', 'http://s3.test').pathname.split('/').at(-1) ?? '']?.(response);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    store = await S3BlobStore.open({ bucket: 'b', prefix: '', endpoint, deadlineMs: DEADLINE_MS, clock: realClock });
  });
  afterAll(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  async function sizesOf(name: string): Promise<readonly number[]> {
    const sizes: number[] = [];
    for await (const { length } of store.read(name)) sizes.push(length);
    return sizes;
  }

  it.each(['whole', 'slow'])('gives whole pieces and a last one: %s', async (name) => {
    expect(await sizesOf(name)).toEqual([PIECE.length, PIECE.length, 5]);
  });

  it('says that a blob is missing', async () => {
    await expect(sizesOf('missing')).rejects.toMatchObject({ code: 'CLY_BLOB_MISSING', retry: 'backoff' });
  });

  it.each(['short', 'damaged', 'stalls'])('never ends as if it were whole: %s', async (name) => {
    await expect(sizesOf(name)).rejects.toMatchObject({
      code: 'CLY_BLOB_UNAVAILABLE',
      retry: 'backoff',
      context: { name },
    });
    await closed;
  });

  it('ends the answer when its reader stops early', async () => {
    for await (const _ of store.read('stalls')) break;
    await closed;
  });
});
