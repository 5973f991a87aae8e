// SPDX-License-Identifier: Apache-2.0
import { open } from 'node:fs/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { keySigner } from './memory-signer.ts';
import { generateKey, importPrivateKey } from './private-key.ts';

const KEY_FILE_SIZE_MAX = 4_096;
const OTHERS = 0o077;

/**
 * Signs with the key of a PEM file. Rejects with CLY_KEY_FILE where the file cannot be read or others may read it,
 * with CLY_KEY_INVALID where it holds something else.
 */
export async function fileSigner(path: string): Promise<Signer> {
  return keySigner(importPrivateKey(await readSecret(path), path));
}

/** Makes a key file that only its owner can read. Rejects with CLY_KEY_FILE where the file exists: keys are never replaced. */
export async function createKeyFile(path: string): Promise<Signer> {
  const { privateKeyPem } = generateKey();
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(privateKeyPem);
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw keyFileError(path, `cannot be written (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
  return keySigner(importPrivateKey(privateKeyPem, path));
}

async function readSecret(path: string): Promise<string> {
  try {
    const file = await open(path, 'r');
    try {
      const { mode, size } = await file.stat();
      if ((mode & OTHERS) !== 0) throw keyFileError(path, `can be read by others; run \`chmod 600 ${path}\``);
      if (size > KEY_FILE_SIZE_MAX) throw keyFileError(path, 'is too large for a key');
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof ClyraError) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    const advice = code === 'ENOENT' ? 'does not exist; make it, or set CLYRA_KEY_FILE' : `cannot be read (${code})`;
    throw keyFileError(path, advice, cause);
  }
}

function keyFileError(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_KEY_FILE', `key file ${path} ${what}`, { retry: 'never', context: { path }, cause });
}
