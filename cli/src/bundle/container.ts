// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { inTarOrder, TAR_END, tarHeader, tarPadding } from '@clyra/core/evidence/ustar';
import type { BundleFolder } from './bundle-folder.ts';

/** Writes a bundle as one file (docs/spec/bundle.md §2): the same bytes for the same bundle on every machine. */
export async function writeTar(bundle: BundleFolder, path: string): Promise<void> {
  await pipeline(Readable.from(tarParts(bundle)), createWriteStream(path, { flags: 'wx' }));
}

async function* tarParts(bundle: BundleFolder): AsyncGenerator<Uint8Array> {
  for (const name of inTarOrder(await bundle.names())) {
    const size = await bundle.size(name);
    yield tarHeader(name, size);
    yield* createReadStream(join(bundle.path, name)) as AsyncIterable<Buffer>;
    yield tarPadding(size);
  }
  yield TAR_END;
}

/** `SHA256SUMS` as `sha256sum -c` reads it. */
export async function sumsOf(bundle: BundleFolder): Promise<string> {
  const lines: string[] = [];
  for (const name of await bundle.names()) {
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(bundle.path, name))) hash.update(chunk as Buffer);
    lines.push(`${hash.digest('hex')}  ${name}\n`);
  }
  return lines.join('');
}
