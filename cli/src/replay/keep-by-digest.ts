// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import { writeWhole } from '@clyra/runtime/whole-file';

/** Writes the bytes into the folder under their digest, where a replay looks for them. */
export async function keepByDigest(folder: string, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes);
  await writeWhole(join(folder, digest), bytes);
  return digest;
}
