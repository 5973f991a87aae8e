// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { createKeyFile, fileSigner } from '@clyra/adapter-signing/file-signer';
import { buildTrustRoot } from '@clyra/adapter-signing/trust-root-file';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import type { Random } from '@clyra/core/ports/random';
import type { Signer } from '@clyra/core/ports/signer';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import { openTsaFiles } from '@clyra/stack/tsa/tsa-files';
import { type KeyName, keyFileOf, type LocalLayout, localLayout } from './layout.ts';
import { LOCAL_ROLES, localTrustPlan } from './trust-plan.ts';

export type LocalOptions = { readonly clock: Clock; readonly random: Random };

export type Local = {
  readonly layout: LocalLayout;
  /** True where this call made the keys: the first run. */
  readonly created: boolean;
  readonly trustRoot: TrustRoot;
  /** The store that the services share; the trust root lies in it. */
  readonly blobs: BlobStore;
};

const KEY_NAMES = Object.keys(LOCAL_ROLES) as KeyName[];

/**
 * Makes what an installation on one machine needs: keys, a trust root signed by the root key, the blob folder.
 * Repeating it changes nothing, and it goes on where a crash stopped it. Rejects with CLY_LOCAL_DAMAGED where a trust
 * root and the keys beside it do not belong together.
 */
export async function prepareLocal(dataDir: string, options: LocalOptions): Promise<Local> {
  const layout = localLayout(dataDir);
  // The folder itself stays passable: PostgreSQL's own user has its data in it. What is secret is closed one by one.
  for (const folder of [layout.dataDir, layout.blobDir, layout.logsDir]) await mkdir(folder, { recursive: true });
  for (const folder of [layout.keysDir, layout.stateDir]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeOnce(layout.credentialsFile, '{"credentials": []}\n');
  await writeOnce(layout.sourcesFile, '[]\n');
  await writeOnce(layout.fingerprintFile, `${Buffer.from(options.random.bytes(32)).toString('base64')}\n`);
  const found = await readIfThere(layout.trustRootFile);
  const bytes = found ?? (await makeTrustRoot(layout, options));
  const trustRoot = parseTrustRoot(bytes);
  if (found !== undefined) await checkKeys(layout, trustRoot);
  const blobs = new FileBlobStore(layout.blobDir);
  // Where every service looks for a trust root that a record names.
  await blobs.put(`trust-roots/${trustRoot.digest}`, bytes);
  return { layout, created: found === undefined, trustRoot, blobs };
}

async function makeTrustRoot(layout: LocalLayout, { clock, random }: LocalOptions): Promise<Uint8Array> {
  const signers = new Map<KeyName, Signer>();
  for (const name of KEY_NAMES) signers.set(name, await keyFor(keyFileOf(layout, name)));
  const { rootCertificate } = await openTsaFiles(layout.tsaDir, clock.nowMs());
  const plan = localTrustPlan({
    nowMs: clock.nowMs(),
    installationId: Buffer.from(random.bytes(8)).toString('hex'),
    keys: [...signers].map(([name, { publicKey }]) => ({ name, publicKey })),
    tsaCertificate: rootCertificate,
  });
  const root = signers.get('root') as Signer;
  const { bytes, dsse } = await buildTrustRoot(plan, [root]);
  await writeWhole(layout.trustRootDsseFile, dsse);
  // Last: its presence says that everything before it is there.
  await writeWhole(layout.trustRootFile, bytes);
  return bytes;
}

/** Files that hold secrets, or will: only their owner can read them. */
async function writeOnce(path: string, content: string): Promise<void> {
  if ((await readIfThere(path)) === undefined) await writeWhole(path, content, 0o600);
}

async function keyFor(path: string): Promise<Signer> {
  const present = await readIfThere(path);
  return present === undefined ? createKeyFile(path) : fileSigner(path);
}

async function checkKeys(layout: LocalLayout, trustRoot: TrustRoot): Promise<void> {
  for (const name of KEY_NAMES) {
    const path = keyFileOf(layout, name);
    const { keyId } = await fileSigner(path);
    if (trustRoot.keys.has(keyId)) continue;
    throw new ClyraError(
      'CLY_LOCAL_DAMAGED',
      `${path} is not the key that ${layout.trustRootFile} names: restore it, or start anew with \`clyra down --wipe\``,
      { retry: 'never', context: { path, keyId } },
    );
  }
}
