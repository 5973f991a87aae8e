// SPDX-License-Identifier: Apache-2.0
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import type { Context } from '../context.ts';

const KEY_BYTES = 32;
const HEX = /^(?:[0-9a-f]{2}){32,64}$/;

/** Beside the other keys of a local installation. */
export function secretFile({ layout }: Pick<Context, 'layout'>, name: string): string {
  return join(layout.keysDir, `${name.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.secret`);
}

/** Reads the secret, or makes one where none is. Rejects with CLY_CLI_SECRET, never with a digit of it. */
export async function tenantSecret({ random }: Pick<Context, 'random'>, path: string): Promise<Uint8Array> {
  const known = await readIfThere(path);
  if (known === undefined) {
    const key = random.bytes(KEY_BYTES);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, `${Buffer.from(key).toString('hex')}\n`, 0o600);
    return key;
  }
  const text = known.toString('utf8').trim();
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  throw new ClyraError('CLY_CLI_SECRET', `${path} does not hold 32 to 64 bytes as hexadecimal digits: restore it`, {
    retry: 'never',
  });
}
