// SPDX-License-Identifier: Apache-2.0
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A file of a bundle that is missing, no regular file, or larger than its limit. */
export class FileError extends Error {
  readonly code: 'CLY_BUNDLE_FILE_MISSING' | 'CLY_BUNDLE_FILE_KIND' | 'CLY_BUNDLE_FILE_SIZE';

  constructor(code: FileError['code'], message: string) {
    super(message);
    this.name = 'FileError';
    this.code = code;
  }
}

/** `follow`: for the reader's own files. Links inside a bundle are never followed: they could lead out of it. */
export type Links = 'refuse' | 'follow';

/** Opens a regular file; no pipe is waited for. Throws FileError, or the system's error. */
export async function openRegular(
  path: string,
  links: Links = 'refuse',
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  let file: FileHandle;
  try {
    file = await open(
      path,
      constants.O_RDONLY | constants.O_NONBLOCK | (links === 'refuse' ? constants.O_NOFOLLOW : 0),
    );
  } catch (error) {
    throw asFileError(error);
  }
  const stat = await file.stat();
  if (!stat.isFile()) {
    await file.close();
    throw new FileError('CLY_BUNDLE_FILE_KIND', 'is no regular file');
  }
  return { file, size: stat.size };
}

/** The bytes of a regular file of at most `bytesMax`. Throws FileError, or the system's error. */
export async function readBounded(path: string, bytesMax: number, links: Links = 'refuse'): Promise<Buffer> {
  const { file, size } = await openRegular(path, links);
  try {
    if (size > bytesMax) {
      throw new FileError('CLY_BUNDLE_FILE_SIZE', `is larger than ${bytesMax} bytes`);
    }
    // One byte more than stat said: a file that grows meanwhile must not pass as the smaller one.
    const buffer = Buffer.alloc(size + 1);
    let filled = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, filled, buffer.length - filled, null);
      filled += bytesRead;
      if (bytesRead === 0) {
        return buffer.subarray(0, filled);
      }
      if (filled > size) {
        throw new FileError('CLY_BUNDLE_FILE_SIZE', 'grew while it was read');
      }
    }
  } finally {
    await file.close();
  }
}

/** The code of an error of the operating system (`EACCES`), or undefined. By shape: it may come from another realm. */
export function systemCodeOf(error: unknown): string | undefined {
  const isSystem = typeof error === 'object' && error !== null && 'syscall' in error && 'code' in error;
  return isSystem && typeof error.code === 'string' ? error.code : undefined;
}

function asFileError(error: unknown): unknown {
  const code = systemCodeOf(error);
  if (code === 'ENOENT') {
    return new FileError('CLY_BUNDLE_FILE_MISSING', 'is missing');
  }
  // ELOOP: a symbolic link. ENXIO, ENODEV: a socket or a device.
  const isOtherKind = code === 'ELOOP' || code === 'ENXIO' || code === 'ENODEV' || code === 'ENOTDIR';
  return isOtherKind ? new FileError('CLY_BUNDLE_FILE_KIND', 'is no regular file') : error;
}
