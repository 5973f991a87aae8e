// SPDX-License-Identifier: Apache-2.0

/** One file of a bundle, opened for reading at any place. */
export interface OpenFile {
  readonly size: number;
  /** Fills `into` from `position` on as far as the file goes; returns how many bytes there were. */
  read(into: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** The files of a bundle, whatever holds them. */
export interface BundleSource {
  /** Names of verification.md §3 B, each with its size. */
  readonly files: ReadonlyMap<string, number>;
  open(name: string): Promise<OpenFile>;
  close(): Promise<void>;
}

/** A set of files that is no bundle (verification.md §3 B): reading ends with it. */
export class SourceError extends Error {
  readonly code: string;
  readonly file: string;

  constructor(code: string, file: string, message: string) {
    super(`${file} ${message}`);
    this.name = 'SourceError';
    this.code = code;
    this.file = file;
  }
}

/** A path that is neither a folder nor a .tar, or that cannot be read. */
export class ReadError extends Error {}

/** The bytes of a file that the listing has found within its limit. */
export async function readWhole(source: BundleSource, name: string): Promise<Buffer> {
  const file = await source.open(name);
  try {
    const bytes = Buffer.alloc(file.size);
    const filled = await file.read(bytes, 0);
    if (filled !== file.size) {
      throw new ReadError(`${name} changed while it was read`);
    }
    return bytes;
  } finally {
    await file.close();
  }
}
