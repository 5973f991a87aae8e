// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { checkPrefix, segmentsOf } from '@clyra/core/ports/blob-name';
import { BLOB_PIECE_BYTES_MAX, type BlobStore, missingBlob } from '@clyra/core/ports/blob-store';
import { blobError, cutShort, errnoOf } from './blob-error.ts';
import { compareFiles } from './compare-files.ts';
import { type FileSystem, nodeFileSystem, type ReadableFile } from './file-system.ts';
import { inTime } from './in-time.ts';

/** Temporary files stand here, on the same file system, under names that no blob can have. */
const STAGING = '.staging';
const FOLDERS_REMEMBERED_MAX = 1_024;
/** Of one piece: a network share that is gone must not hold its reader for ever. */
const PIECE_DEADLINE_MS = 30_000;

/**
 * Blobs as files below one folder. A blob is written aside, synced, linked to its name and its folder synced: it is
 * seen whole or not at all, also after a power cut, and never replaced. Several processes may share the folder.
 */
export class FileBlobStore implements BlobStore {
  readonly #root: string;
  readonly #files: FileSystem;
  readonly #pieceDeadlineMs: number;
  readonly #durableFolders = new Set<string>();

  constructor(root: string, files: FileSystem = nodeFileSystem, pieceDeadlineMs: number = PIECE_DEADLINE_MS) {
    this.#root = resolve(root);
    this.#files = files;
    this.#pieceDeadlineMs = pieceDeadlineMs;
  }

  async put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const path = join(this.#root, ...segmentsOf(name));
    const staged = join(this.#root, STAGING, randomBytes(12).toString('hex'));
    try {
      await this.#makeFolders(join(this.#root, STAGING));
      await this.#makeFolders(dirname(path));
      await this.#files.writeSynced(staged, chunksOf(content));
      await this.#publish(staged, path, name);
      await this.#files.syncFolder(dirname(path));
    } catch (cause) {
      throw blobError('put', name, cause);
    } finally {
      // What a crash leaves behind in staging is never read; an error here must not hide the one above.
      await this.#files.remove(staged).catch(() => {});
    }
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const path = join(this.#root, ...segmentsOf(name));
    try {
      return await this.#files.read(path);
    } catch (cause) {
      if (isAbsent(cause)) return undefined;
      throw blobError('get', name, cause);
    }
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    const path = join(this.#root, ...segmentsOf(name));
    const file = await this.#open(path, name);
    try {
      for (let at = 0; at < file.size; at += BLOB_PIECE_BYTES_MAX) yield await this.#piece(file, name, at);
    } finally {
      // Not waited for: a read that is late keeps its file open.
      file.close().catch(() => {});
    }
  }

  async has(name: string): Promise<boolean> {
    const path = join(this.#root, ...segmentsOf(name));
    try {
      return await this.#files.isFile(path);
    } catch (cause) {
      throw blobError('has', name, cause);
    }
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkPrefix(prefix);
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    const names = await this.#namesBelow(folder);
    return names.filter((name) => name.startsWith(prefix)).toSorted();
  }

  async #open(path: string, name: string): Promise<ReadableFile> {
    const opening = this.#files.openRead(path);
    try {
      return await inTime(opening, { name, deadlineMs: this.#pieceDeadlineMs });
    } catch (cause) {
      if (isAbsent(cause) || errnoOf(cause) === 'EISDIR') throw missingBlob(name);
      opening.then((file) => file.close()).catch(() => {});
      throw blobError('read', name, cause);
    }
  }

  async #piece(file: ReadableFile, name: string, at: number): Promise<Uint8Array> {
    const { size } = file;
    const piece = Buffer.allocUnsafe(Math.min(BLOB_PIECE_BYTES_MAX, size - at));
    try {
      const filled = await inTime(file.read(piece, at), { name, deadlineMs: this.#pieceDeadlineMs });
      if (filled < piece.length) throw cutShort(name, { read: at + filled, size });
      return piece;
    } catch (cause) {
      throw blobError('read', name, cause);
    }
  }

  async #publish(staged: string, path: string, name: string): Promise<void> {
    try {
      await this.#files.publish(staged, path);
    } catch (cause) {
      if (errnoOf(cause) !== 'EEXIST') throw cause;
      const { isSame, sizeGiven, sizeFound } = await compareFiles(this.#files, staged, path);
      if (isSame) return;
      throw new ClyraError(
        'CLY_BLOB_CONFLICT',
        `blob ${name} exists with other bytes; blobs are never replaced: two writers disagree, compare their inputs`,
        { retry: 'never', context: { name, sizeFound, sizeGiven } },
      );
    }
  }

  /**
   * A folder is durable only once its parent is synced, and another process may have made it and died before it did
   * so: each is synced once by each process, whoever made it.
   */
  async #makeFolders(path: string): Promise<void> {
    if (this.#durableFolders.has(path)) return;
    await this.#files.makeFolder(path);
    for (let at = path; at.length >= this.#root.length; at = dirname(at)) await this.#files.syncFolder(dirname(at));
    if (this.#durableFolders.size >= FOLDERS_REMEMBERED_MAX) this.#durableFolders.clear();
    this.#durableFolders.add(path);
  }

  async #namesBelow(folder: string): Promise<string[]> {
    const names: string[] = [];
    for (const entry of await this.#entries(join(this.#root, folder))) {
      if (entry.startsWith('.')) continue;
      const below = entry.endsWith('/') ? await this.#namesBelow(`${folder}${entry}`) : [`${folder}${entry}`];
      // One by one: a folder may hold more than a call takes as arguments.
      for (const name of below) names.push(name);
    }
    return names;
  }

  async #entries(path: string): Promise<readonly string[]> {
    try {
      return await this.#files.entries(path);
    } catch (cause) {
      if (isAbsent(cause)) return [];
      throw blobError('list', path, cause);
    }
  }
}

async function* chunksOf(content: Uint8Array | AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  if (content instanceof Uint8Array) yield content;
  else yield* content;
}

function isAbsent(cause: unknown): boolean {
  const errno = errnoOf(cause);
  return errno === 'ENOENT' || errno === 'ENOTDIR';
}
