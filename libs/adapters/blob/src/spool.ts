// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MEMORY_BYTES_MAX = 8_388_608;

/** Content of known size and digest, which can be read more than once. */
export type Spooled = {
  readonly size: number;
  /** SHA-256 in base64, as S3 writes it. */
  readonly sha256: string;
  readonly body: () => Uint8Array | NodeJS.ReadableStream;
  readonly dispose: () => Promise<void>;
};

/**
 * Takes a stream to its end before anything is sent: what breaks half way is never seen by anybody, and S3 wants size
 * and checksum first. Up to 8 MiB stay in memory, the rest goes to a file of the system's temporary folder.
 */
export async function spool(content: Uint8Array | AsyncIterable<Uint8Array>): Promise<Spooled> {
  const hash = createHash('sha256');
  if (content instanceof Uint8Array) {
    const sha256 = hash.update(content).digest('base64');
    return { size: content.length, sha256, body: () => content, dispose: async () => {} };
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  let file: { readonly handle: FileHandle; readonly folder: string; readonly path: string } | undefined;
  const dispose = async (): Promise<void> => {
    await file?.handle.close();
    if (file !== undefined) await rm(file.folder, { recursive: true, force: true });
  };
  try {
    for await (const chunk of content) {
      hash.update(chunk);
      size += chunk.length;
      chunks.push(chunk);
      if (file === undefined && size > MEMORY_BYTES_MAX) file = await openTemporary();
      if (file === undefined) continue;
      await file.handle.writev(chunks);
      chunks.length = 0;
    }
  } catch (cause) {
    await dispose();
    throw cause;
  }
  const inMemory = Buffer.concat(chunks);
  const path = file?.path;
  return {
    size,
    sha256: hash.digest('base64'),
    body: () => (path === undefined ? inMemory : createReadStream(path)),
    dispose,
  };
}

async function openTemporary(): Promise<{ handle: FileHandle; folder: string; path: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'clyra-spool-'));
  const path = join(folder, 'content');
  return { handle: await open(path, 'wx', 0o600), folder, path };
}
