// SPDX-License-Identifier: Apache-2.0
import { bytesMaxOf, FOLDERS, rankOf } from './bundle-names.ts';
import { type BundleSource, type OpenFile, SourceError } from './bundle-source.ts';
import { requireCounts } from './listing.ts';
import { nameAndSizeOf, TAR_BLOCK, tarHeader } from './tar-header.ts';

const END_BYTES = 1_024;

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** A tar as a bundle (bundle.md §2): headers are read once, files where they stand. Closes it. Throws SourceError. */
export async function openTar(archive: OpenFile): Promise<BundleSource> {
  try {
    const { places, end } = await readPlaces(archive);
    const files = new Map([...places].map(([name, { size }]) => [name, size]));
    requireCounts(files);
    await requireEnd(archive, places, end);
    const open = (name: string) => Promise.resolve(part(archive, places.get(name) as Place));
    return { files, open, close: () => archive.close() };
  } catch (error) {
    await archive.close();
    throw error;
  }
}

function part(archive: OpenFile, { offset, size }: Place): OpenFile {
  return {
    size,
    read: (into, position) =>
      archive.read(into.subarray(0, Math.max(0, Math.min(into.length, size - position))), offset + position),
    close: () => Promise.resolve(),
  };
}

/** Walks the headers up to a block of zeros, or to where the file ends. */
async function readPlaces(archive: OpenFile): Promise<{ places: Map<string, Place>; end: number }> {
  const places = new Map<string, Place>();
  const counts = new Map<string, number>();
  const header = Buffer.alloc(TAR_BLOCK);
  let at = 0;
  let previous = '';
  while ((await archive.read(header, at)) === TAR_BLOCK && header.some((byte) => byte !== 0)) {
    const { name, size } = readHeader(header, previous);
    requireAllowed(name, size, counts);
    previous = name;
    places.set(name, { offset: at + TAR_BLOCK, size });
    at += TAR_BLOCK + size + paddingOf(size);
  }
  return { places, end: at };
}

function paddingOf(size: number): number {
  return (TAR_BLOCK - (size % TAR_BLOCK)) % TAR_BLOCK;
}

async function requireEnd(archive: OpenFile, places: ReadonlyMap<string, Place>, end: number): Promise<void> {
  for (const { offset, size } of places.values()) {
    await requireZeros(archive, offset + size, paddingOf(size));
  }
  await requireZeros(archive, end, END_BYTES);
  if (archive.size !== end + END_BYTES) {
    throw new SourceError('CLY_TAR_END', 'the archive', 'goes on after its end');
  }
}

function readHeader(header: Buffer, previous: string): { name: string; size: number } {
  const found = nameAndSizeOf(header);
  if (found === null || !tarHeader(found.name, found.size).equals(header)) {
    throw new SourceError('CLY_TAR_HEADER', found?.name ?? 'a header', 'is not the header of its name and size');
  }
  const rank = rankOf(found.name);
  const rankBefore = rankOf(previous);
  const isBehind = rank > rankBefore || (rank === rankBefore && found.name > previous);
  if (rank >= 0 && previous !== '' && !isBehind) {
    throw new SourceError('CLY_TAR_HEADER', found.name, 'does not stand in its place');
  }
  return found;
}

function requireAllowed(name: string, size: number, counts: Map<string, number>): void {
  if (rankOf(name) < 0) {
    throw new SourceError('CLY_BUNDLE_FILE_UNKNOWN', name, 'is no file of a bundle');
  }
  if (size > bytesMaxOf(name)) {
    throw new SourceError('CLY_BUNDLE_FILE_SIZE', name, `is larger than ${bytesMaxOf(name)} bytes`);
  }
  const [folder = ''] = name.split('/');
  const count = (counts.get(folder) ?? 0) + 1;
  counts.set(folder, count);
  if (count > (FOLDERS.get(folder) ?? 1)) {
    throw new SourceError('CLY_BUNDLE_FILE_COUNT', folder, 'holds too many files');
  }
}

async function requireZeros(archive: OpenFile, at: number, count: number): Promise<void> {
  const bytes = Buffer.alloc(count, 1);
  await archive.read(bytes, at);
  if (!bytes.every((byte) => byte === 0)) {
    const message = 'has something else than zeros where it must have them, or is cut short';
    throw new SourceError('CLY_TAR_END', 'the archive', message);
  }
}
