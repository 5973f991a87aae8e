// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPublicKey, verifyEd25519 } from '@clyra/core/signing/ed25519';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { memorySigner } from './memory-signer.ts';
import { openSigner } from './open-signer.ts';

const TOKEN = 'a-token-of-this-test';
const message = Buffer.from('a checkpoint');
let key = memorySigner();
let fault: ((response: ServerResponse) => void) | undefined;
let server: Server;
let folder: string;
let address: string;

/** The protocol of README.md in its plainest form. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  if (request.headers.authorization !== `Bearer ${TOKEN}`) {
    response.writeHead(401).end();
    return;
  }
  if (fault !== undefined) return fault(response);
  const named = { format: 'clyra/signer/v0', alg: 'ed25519', key_id: key.keyId };
  const body =
    request.url === '/hsm/v0/key'
      ? { ...named, public_key: Buffer.from(key.publicKey).toString('base64') }
      : { ...named, sig: Buffer.from(await key.sign(Buffer.concat(chunks))).toString('base64') };
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

beforeEach(async () => {
  key = memorySigner();
  fault = undefined;
  server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  folder = await mkdtemp(join(tmpdir(), 'clyra-signer-'));
  await writeFile(join(folder, 'token'), `${TOKEN}\n`);
  address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hsm#deadline_ms=400&token_file=${folder}/token`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

describe('a signer behind HTTP', () => {
  it('signs as the key that it names', async () => {
    const signer = await openSigner(address);
    expect(signer.keyId).toBe(key.keyId);
    const signature = await signer.sign(message);
    expect(verifyEd25519(importPublicKey(key.publicKey), message, signature)).toBe(true);
  });

  it('is refused when its signature is of another key', async () => {
    const signer = await openSigner(address);
    key = memorySigner();
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_REFUSED', retry: 'never' });
  });

  it.each([
    [503, 'CLY_SIGNER_UNAVAILABLE'],
    [429, 'CLY_SIGNER_UNAVAILABLE'],
    [403, 'CLY_SIGNER_REFUSED'],
    [404, 'CLY_SIGNER_REFUSED'],
  ])('answers %i as %s', async (status, code) => {
    const signer = await openSigner(address);
    fault = (response) => response.writeHead(status).end();
    await expect(signer.sign(message)).rejects.toMatchObject({ code });
  });

  it('keeps its deadline against silence and against a trickle', async () => {
    const signer = await openSigner(address);
    for (const slow of [
      () => {},
      (response: ServerResponse) => {
        response.writeHead(200);
        const timer = setInterval(() => response.write(' '), 50);
        response.on('close', () => clearInterval(timer));
      },
    ]) {
      fault = slow;
      await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_UNAVAILABLE' });
    }
  });

  it.each([
    ['an endless answer', (response: ServerResponse) => response.end('x'.repeat(100_000))],
    ['no JSON', (response: ServerResponse) => response.end('ok')],
    ['another format', (response: ServerResponse) => response.end('{"sig":""}')],
    ['a short signature', (response: ServerResponse) => response.end('{"format":"clyra/signer/v0","sig":"AAAA"}')],
  ])('is refused with %s', async (_, broken) => {
    const signer = await openSigner(address);
    fault = broken;
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_REFUSED' });
  });

  it('cannot be opened without its token, or when nobody listens', async () => {
    await expect(openSigner(address.replace(/&token_file.*/, ''))).rejects.toMatchObject({
      code: 'CLY_SIGNER_REFUSED',
    });
    await expect(openSigner(`${address}x`)).rejects.toMatchObject({ code: 'CLY_SIGNER_SETTING' });
    await expect(openSigner('http://127.0.0.1:1#deadline_ms=500')).rejects.toMatchObject({
      code: 'CLY_SIGNER_UNAVAILABLE',
    });
  });
});
