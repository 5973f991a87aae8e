// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { importPublicKey, verifyEd25519 } from '@clyra/core/signing/ed25519';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { KmsStandIn } from './kms-server.ts';

const CREDENTIALS = {
  AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'not-a-secret',
  AWS_REGION: 'eu-central-1',
};
const before = Object.fromEntries(Object.keys(CREDENTIALS).map((name) => [name, process.env[name]]));
beforeAll(() => {
  Object.assign(process.env, CREDENTIALS);
});
afterAll(() => {
  for (const [name, value] of Object.entries(before)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

let kms: KmsStandIn;
beforeEach(async () => {
  await kms?.stop();
  kms = await KmsStandIn.start();
});
afterAll(() => kms.stop());

const open = (deadlineMs = 5_000) =>
  openSigner(`aws-kms:${kms.keyId}#endpoint=${kms.endpoint}&region=eu-central-1&deadline_ms=${deadlineMs}`);
const message = Buffer.from('DSSEv1 4 type 7 payload');

describe('a key in AWS KMS (stand-in, real client)', () => {
  it('signs the raw bytes with pure Ed25519', async () => {
    const signer = await open();
    const signature = await signer.sign(message);
    expect(verifyEd25519(importPublicKey(signer.publicKey), message, signature)).toBe(true);
    expect(kms.calls.map(({ target }) => target)).toEqual(['TrentService.GetPublicKey', 'TrentService.Sign']);
    expect(kms.calls[1]?.body).toMatchObject({ MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' });
  });

  it('signs 4,096 bytes and refuses 4,097 before it asks', async () => {
    const signer = await open();
    await expect(signer.sign(Buffer.alloc(4_096, 1))).resolves.toHaveLength(64);
    const asked = kms.calls.length;
    await expect(signer.sign(Buffer.alloc(4_097, 1))).rejects.toMatchObject({
      code: 'CLY_SIGNER_REFUSED',
      retry: 'never',
    });
    expect(kms.calls).toHaveLength(asked);
  });

  it('gets through a moment of throttling, and says "later" where it lasts', async () => {
    const signer = await open();
    kms.faults.push('throttled');
    await expect(signer.sign(message)).resolves.toHaveLength(64);
    kms.faults.push('throttled', 'throttled', 'throttled');
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_UNAVAILABLE', retry: 'backoff' });
    kms.faults.push('internal', 'internal', 'internal');
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_UNAVAILABLE', retry: 'backoff' });
  });

  it('keeps its deadline when KMS is silent', async () => {
    const signer = await open(300);
    kms.faults.push('silent', 'silent', 'silent', 'silent');
    const startedMs = performance.now();
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_UNAVAILABLE', retry: 'backoff' });
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it('passes on no signature that is not of the key it was opened with', async () => {
    const signer = await open();
    kms.faults.push('flipped');
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_REFUSED', retry: 'never' });
    kms.replaceKey();
    await expect(signer.sign(message)).rejects.toMatchObject({ code: 'CLY_SIGNER_REFUSED', retry: 'never' });
  });

  it('is refused without the right, for an unknown key and for one of another algorithm', async () => {
    kms.faults.push('denied');
    await expect(open()).rejects.toThrow('AccessDeniedException');
    await expect(openSigner(`aws-kms:other#endpoint=${kms.endpoint}&region=eu-central-1`)).rejects.toMatchObject({
      code: 'CLY_SIGNER_REFUSED',
    });
    kms.pretendSpec('ECC_NIST_P256');
    await expect(open()).rejects.toThrow('ECC_NIST_EDWARDS25519');
  });

  it('is refused with an option that is none', async () => {
    await expect(openSigner(`aws-kms:${kms.keyId}#secret=x`)).rejects.toMatchObject({ code: 'CLY_SIGNER_SETTING' });
    await expect(openSigner(`aws-kms:${kms.keyId}#deadline_ms=0`)).rejects.toMatchObject({
      code: 'CLY_SIGNER_SETTING',
    });
  });
});
