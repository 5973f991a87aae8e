// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyFile, fileSigner } from '@clyra/adapter-signing/file-signer';
import { digestOf } from '@clyra/core/canonical/digest';
import { keyFor } from '@clyra/core/signing/trust-root';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { keyFileOf, localLayout } from './layout.ts';
import { prepareLocal } from './prepare-local.ts';

const options = {
  clock: { nowMs: () => 1_800_000_000_000, after: () => () => {} },
  random: { bytes: (size: number) => new Uint8Array(size).fill(7) },
};

let dataDir: string;
beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), 'clyra-local-')), 'data');
});
afterEach(() => rm(join(dataDir, '..'), { recursive: true, force: true }));

describe('prepareLocal', () => {
  it('makes keys whose roles and subjects the trust root gives them', async () => {
    const { layout, created, trustRoot, blobs } = await prepareLocal(dataDir, options);
    const atMs = 1_800_000_000_000;
    const bundler = await fileSigner(keyFileOf(layout, 'bundler'));
    expect(created).toBe(true);
    expect(keyFor(trustRoot, { keyId: bundler.keyId, role: 'bundler', atMs })?.subject).toBe('service:bundler');
    expect(keyFor(trustRoot, { keyId: bundler.keyId, role: 'enforcer', atMs })).toBeUndefined();
    const people = [...trustRoot.keys.values()].filter(({ roles }) => roles.has('operator'));
    expect(people.map(({ subject }) => subject).toSorted()).toEqual(['local:operator', 'local:second-operator']);
    expect(trustRoot).toMatchObject({ singleOperator: true, logOrigin: 'clyra.local/0707070707070707' });
    expect((await stat(layout.keysDir)).mode & 0o777).toBe(0o700);
    for (const secret of [layout.credentialsFile, layout.sourcesFile, layout.fingerprintFile]) {
      expect((await stat(secret)).mode & 0o777).toBe(0o600);
    }
    expect(await blobs.get(`trust-roots/${trustRoot.digest}`)).toEqual(await readFile(layout.trustRootFile));
  });

  it('changes nothing when repeated', async () => {
    const first = await prepareLocal(dataDir, options);
    const second = await prepareLocal(dataDir, { ...options, random: { bytes: (size) => new Uint8Array(size) } });
    expect(second.created).toBe(false);
    expect(second.trustRoot.digest).toBe(first.trustRoot.digest);
  });

  it('goes on where a crash stopped it', async () => {
    const layout = localLayout(dataDir);
    await prepareLocal(dataDir, options);
    const before = await readFile(keyFileOf(layout, 'intake'));
    const secret = await readFile(layout.fingerprintFile);
    await rm(layout.trustRootFile);
    await rm(keyFileOf(layout, 'attestor'));
    const { trustRoot } = await prepareLocal(dataDir, options);
    expect(await readFile(keyFileOf(layout, 'intake'))).toEqual(before);
    expect(await readFile(layout.fingerprintFile)).toEqual(secret);
    expect(trustRoot.digest).toBe(digestOf(await readFile(layout.trustRootFile)));
  });

  it('refuses keys that do not belong to the trust root, or that others can read', async () => {
    const { layout } = await prepareLocal(dataDir, options);
    await chmod(keyFileOf(layout, 'intake'), 0o644);
    await expect(prepareLocal(dataDir, options)).rejects.toMatchObject({ code: 'CLY_KEY_FILE' });
    await rm(keyFileOf(layout, 'intake'));
    await createKeyFile(keyFileOf(layout, 'intake'));
    await expect(prepareLocal(dataDir, options)).rejects.toMatchObject({ code: 'CLY_LOCAL_DAMAGED' });
    await writeFile(layout.trustRootFile, '{}');
    await expect(prepareLocal(dataDir, options)).rejects.toMatchObject({ code: 'CLY_TRUST_ROOT_INVALID' });
  });
});
