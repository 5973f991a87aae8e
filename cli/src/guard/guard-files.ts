// SPDX-License-Identifier: Apache-2.0
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Context } from '../context.ts';
import { readIfThere, writeWhole } from '../local/write-file.ts';

const SQL = new URL('../../../integrations/postgres/sql/', import.meta.url);
const KEY_BYTES = 32;
const HEX = /^(?:[0-9a-f]{2}){32,64}$/;

export function guardSql(name: 'install' | 'uninstall'): Promise<string> {
  return readFile(new URL(`${name}.sql`, SQL), 'utf8');
}

/** One grant key for each source of a tenant, as hexadecimal digits that only their owner can read. */
export function grantKeyFile({ layout }: Context, tenant: string, sourceId: string): string {
  return join(layout.keysDir, `grant-${tenant}-${sourceId.replaceAll(/[^A-Za-z0-9._-]/g, '_')}.secret`);
}

/** Reads the key, or makes one where none is. Rejects with CLY_CLI_GRANT_KEY, never with a digit of it. */
export async function grantKey({ random }: Context, path: string): Promise<Uint8Array> {
  const known = await readIfThere(path);
  if (known === undefined) {
    const key = random.bytes(KEY_BYTES);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeWhole(path, `${Buffer.from(key).toString('hex')}\n`, 0o600);
    return key;
  }
  const text = known.toString('utf8').trim();
  if (HEX.test(text)) return Buffer.from(text, 'hex');
  throw new ClyraError('CLY_CLI_GRANT_KEY', `${path} does not hold 32 to 64 bytes as hexadecimal digits: restore it`, {
    retry: 'never',
  });
}
