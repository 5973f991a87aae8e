// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Random } from '@clyra/core/ports/random';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';

/** One HMAC credential: who may ask intake, for which tenant and as which actors. */
export type Credential = {
  readonly key_id: string;
  /** base64 of 32 random bytes, shared with intake. */
  readonly secret: string;
  readonly tenant: string;
  /** The actors it may speak for; `*` is any. */
  readonly actors: readonly string[];
};

export type CredentialsFile = { readonly credentials: readonly Credential[] };

export async function readCredentials(path: string): Promise<readonly Credential[]> {
  const bytes = await readIfThere(path);
  if (bytes === undefined) return [];
  const file = JSON.parse(bytes.toString('utf8')) as CredentialsFile;
  if (Array.isArray(file.credentials)) return file.credentials;
  throw new ClyraError(
    'CLY_LOCAL_DAMAGED',
    `${path} is no credentials file: restore it or delete it to make a new one`,
    {
      retry: 'never',
      context: { path },
    },
  );
}

/** The tenant's credential, made on first use. Intake reads the file again when a key id is unknown to it. */
export async function ensureCredential(
  path: string,
  wanted: { readonly tenant: string; readonly actors?: readonly string[] },
  random: Random,
): Promise<Credential> {
  const credentials = await readCredentials(path);
  const found = credentials.find(({ tenant }) => tenant === wanted.tenant);
  if (found !== undefined) return found;
  const made: Credential = {
    key_id: `${wanted.tenant}-default`,
    secret: Buffer.from(random.bytes(32)).toString('base64'),
    tenant: wanted.tenant,
    actors: wanted.actors ?? ['*'],
  };
  const file: CredentialsFile = { credentials: [...credentials, made] };
  await writeWhole(path, `${JSON.stringify(file, undefined, 2)}\n`, 0o600);
  return made;
}
