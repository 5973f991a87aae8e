// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Digest, digestBytes } from '@clyra/core/canonical/digest';
import { CompactRange } from '@clyra/core/merkle/compact-range';
import { type BundleFolder, notBundle } from './bundle-folder.ts';
import { requireContinuous } from './proofs.ts';

const TILE_WIDTH = 256;

/**
 * Writes C2SP tlog-tiles of a whole log, as Tessera's fsck reads them. It needs every bundle from leaf 0 on, each with
 * all its lines. Returns the number of leaves.
 */
export async function writeTiles(bundles: readonly BundleFolder[], folder: string): Promise<number> {
  requireContinuous(bundles, 0);
  const tiles = new Tiles(folder);
  for (const bundle of bundles) {
    for await (const { bytes, hash, isReplaced } of bundle.lines()) {
      if (isReplaced) throw notBundle(bundle.path, 'an export does not show every line');
      await tiles.append(bytes, hash);
    }
  }
  await tiles.end();
  const last = bundles.at(-1) as BundleFolder;
  await writeFile(join(folder, 'checkpoint'), await last.file('checkpoint'));
  return last.head.range.end;
}

type Level = { hashes: Digest[]; count: number };

class Tiles {
  readonly #folder: string;
  readonly #levels: Level[] = [{ hashes: [], count: 0 }];
  #entries: Buffer[] = [];
  #entryTiles = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async append(bytes: Uint8Array, hash: Digest): Promise<void> {
    const size = Buffer.alloc(2);
    size.writeUInt16BE(bytes.length);
    this.#entries.push(Buffer.concat([size, bytes]));
    if (this.#entries.length === TILE_WIDTH) await this.#writeEntries();
    await this.#appendHash(0, hash);
  }

  async end(): Promise<void> {
    if (this.#entries.length > 0) await this.#writeEntries();
    for (const [level, { hashes, count }] of this.#levels.entries()) {
      if (hashes.length > 0) await this.#write(`tile/${level}/${tileName(count, hashes.length)}`, encoded(hashes));
    }
  }

  async #appendHash(level: number, hash: Digest): Promise<void> {
    const tile = this.#levels[level] ?? { hashes: [], count: 0 };
    this.#levels[level] = tile;
    tile.hashes.push(hash);
    if (tile.hashes.length < TILE_WIDTH) return;
    await this.#write(`tile/${level}/${tileName(tile.count, TILE_WIDTH)}`, encoded(tile.hashes));
    const tree = new CompactRange();
    for (const one of tile.hashes) tree.append(one);
    this.#levels[level] = { hashes: [], count: tile.count + 1 };
    await this.#appendHash(level + 1, tree.root());
  }

  async #writeEntries(): Promise<void> {
    const name = tileName(this.#entryTiles, this.#entries.length);
    await this.#write(`tile/entries/${name}`, Buffer.concat(this.#entries));
    this.#entries = [];
    this.#entryTiles += 1;
  }

  async #write(name: string, bytes: Uint8Array): Promise<void> {
    const path = join(this.#folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, bytes);
  }
}

function encoded(hashes: readonly Digest[]): Uint8Array {
  return Buffer.concat(hashes.map((hash) => digestBytes(hash)));
}

/** Three digits a folder, all but the last with an x; a tile that is not full says how wide it is. */
export function tileName(index: number, width: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  const name = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return width === TILE_WIDTH ? name : `${name}.p/${width}`;
}
