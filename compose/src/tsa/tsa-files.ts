// SPDX-License-Identifier: Apache-2.0
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readCertificate } from '@clyra/core/timestamp/certificate';
import { issueCertificate } from './issue-certificate.ts';
import type { TimeStampSigner } from './sign-time-stamp.ts';

const DAY_MS = 86_400_000;
const ROOT_DAYS = 3_650;
const SIGNER_DAYS = 1_825;

export type TsaFiles = {
  readonly signer: TimeStampSigner;
  /** DER: goes into the trust root as a time authority. */
  readonly rootCertificate: Uint8Array;
  /** PEM, for `openssl ts -verify -CAfile`. */
  readonly rootCertificateFile: string;
};

/** The keys and certificates of a local TSA in one folder, made at the first start. The root's key is not kept. */
export async function openTsaFiles(folder: string, nowMs: number): Promise<TsaFiles> {
  const paths = { root: join(folder, 'tsa-root.pem'), signer: join(folder, 'tsa.pem'), key: join(folder, 'tsa.key') };
  await mkdir(folder, { recursive: true, mode: 0o700 });
  // The key is written last: its presence says that the certificates are there.
  const key = (await readIfThere(paths.key)) ?? (await make(paths, nowMs));
  const certificate = readCertificate(fromPem(await readFile(paths.signer, 'utf8')));
  return {
    signer: { privateKey: createPrivateKey(key), certificate },
    rootCertificate: fromPem(await readFile(paths.root, 'utf8')),
    rootCertificateFile: paths.root,
  };
}

async function make(paths: { root: string; signer: string; key: string }, nowMs: number): Promise<string> {
  const newKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const [rootKey, signerKey] = [newKey(), newKey()];
  const issuer = { commonName: 'Clyra local TSA root', privateKey: rootKey };
  const validFromMs = nowMs - DAY_MS;
  const root = issueCertificate({
    commonName: issuer.commonName,
    publicKey: createPublicKey(rootKey),
    issuer,
    validFromMs,
    validToMs: nowMs + ROOT_DAYS * DAY_MS,
    kind: 'authority',
  });
  const signer = issueCertificate({
    commonName: 'Clyra local TSA',
    publicKey: createPublicKey(signerKey),
    issuer,
    validFromMs,
    validToMs: nowMs + SIGNER_DAYS * DAY_MS,
    kind: 'time-stamping',
  });
  await writeFile(paths.root, toPem(root));
  await writeFile(paths.signer, toPem(signer));
  const key = signerKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  await writeFile(paths.key, key, { mode: 0o600 });
  return key;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw cause;
  }
}

function toPem(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate)
    .toString('base64')
    .replace(/(.{64})/g, '$1\n');
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function fromPem(pem: string): Uint8Array {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64');
}
