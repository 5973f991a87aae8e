// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importPublicKey, verifyEd25519 } from '@clyra/core/signing/ed25519';
import { pae } from '@clyra/core/signing/pae';
import { keyFor } from '@clyra/core/signing/trust-root';
import { TRUST_ROOT_TYPE } from '@clyra/core/signing/trust-root-rotation';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createKeyFile, fileSigner } from './file-signer.ts';
import { memorySigner, seededSigner } from './memory-signer.ts';
import { buildTrustRoot, type TrustRootPlan } from './trust-root-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe('key files', () => {
  it('sign as the key that was made, and only the owner can read them', async () => {
    const path = join(folder, 'intake.pem');
    const made = await createKeyFile(path);
    const read = await fileSigner(path);
    expect(read.keyId).toBe(made.keyId);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const message = Buffer.from('a change');
    const signature = await read.sign(message);
    expect(verifyEd25519(importPublicKey(made.publicKey), message, signature)).toBe(true);
    expect(verifyEd25519(importPublicKey(made.publicKey), Buffer.from('b change'), signature)).toBe(false);
  });

  it('are never replaced', async () => {
    const path = join(folder, 'intake.pem');
    const { keyId } = await createKeyFile(path);
    await expect(createKeyFile(path)).rejects.toMatchObject({ code: 'CLY_KEY_FILE' });
    expect((await fileSigner(path)).keyId).toBe(keyId);
  });

  it('are refused when missing, readable by others, too large or not a key', async () => {
    const path = join(folder, 'intake.pem');
    await expect(fileSigner(path)).rejects.toMatchObject({ code: 'CLY_KEY_FILE' });
    await createKeyFile(path);
    await chmod(path, 0o640);
    await expect(fileSigner(path)).rejects.toThrow('chmod 600');
    const wrong = join(folder, 'wrong.pem');
    await writeFile(wrong, 'secret text', { mode: 0o600 });
    const refusal = fileSigner(wrong).catch((failure: unknown) => failure as Error);
    await expect(refusal).resolves.toMatchObject({ code: 'CLY_KEY_INVALID' });
    expect((await refusal).toString()).not.toContain('secret text');
    await writeFile(wrong, 'x'.repeat(5_000));
    await expect(fileSigner(wrong)).rejects.toMatchObject({ code: 'CLY_KEY_FILE' });
  });
});

describe('seeded signers', () => {
  it('give the public key of RFC 8032 §7.1 test 1, and the same signature each time', async () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const signer = seededSigner(seed);
    expect(Buffer.from(signer.publicKey).toString('hex')).toBe(
      'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    );
    const signature = Buffer.from(await signer.sign(Buffer.alloc(0))).toString('hex');
    expect(signature.startsWith('e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155')).toBe(true);
  });
});

describe('trust roots', () => {
  const [root, intake] = [memorySigner(), memorySigner()];
  const valid = { subject: 'alice', operator: 'acme', validFromMs: 1_000, validToMs: 9_000 };
  const plan: TrustRootPlan = {
    version: 1,
    expiresAtMs: 9_000,
    logOrigin: 'acme.example/log',
    singleOperator: true,
    keys: [
      { ...valid, publicKey: root.publicKey, roles: ['root'] },
      { ...valid, publicKey: intake.publicKey, roles: ['intake'], revoked: { atMs: 5_000, reason: 'lost' } },
    ],
  };

  it('are read back with roles, windows and revocations', async () => {
    const { trustRoot } = await buildTrustRoot(plan, [root]);
    const use = { keyId: intake.keyId, role: 'intake', atMs: 4_999 } as const;
    expect(keyFor(trustRoot, use)?.subject).toBe('alice');
    expect(keyFor(trustRoot, { ...use, atMs: 5_000 })).toBeUndefined();
    expect(keyFor(trustRoot, { ...use, role: 'log' })).toBeUndefined();
    expect(trustRoot.logOrigin).toBe('acme.example/log');
  });

  it('are signed by their root keys over the file as it stands', async () => {
    const { bytes, dsse } = await buildTrustRoot(plan, [root]);
    const envelope = JSON.parse(Buffer.from(dsse).toString()) as {
      payload: string;
      payloadType: string;
      signatures: { keyid: string; sig: string }[];
    };
    expect(Buffer.from(envelope.payload, 'base64')).toEqual(bytes);
    expect(envelope.signatures.map(({ keyid }) => keyid)).toEqual([root.keyId]);
    const sig = Buffer.from(envelope.signatures[0]!.sig, 'base64');
    expect(verifyEd25519(importPublicKey(root.publicKey), pae(TRUST_ROOT_TYPE, bytes), sig)).toBe(true);
  });

  it('are refused without the signature of one of their root keys', async () => {
    await expect(buildTrustRoot(plan, [])).rejects.toMatchObject({ code: 'CLY_TRUST_ROOT_INVALID' });
    await expect(buildTrustRoot(plan, [intake])).rejects.toMatchObject({ code: 'CLY_TRUST_ROOT_INVALID' });
  });
});
