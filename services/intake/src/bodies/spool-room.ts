// SPDX-License-Identifier: Apache-2.0
import type { FileHandle } from 'node:fs/promises';

export type SpoolLimits = {
  /** Of all bodies together, in memory and on disk. */
  readonly bytesMax: number;
  readonly countMax: number;
  /** Up to here a body stays in memory. */
  readonly memoryBytesMax: number;
};

export const SPOOL_LIMITS: SpoolLimits = { bytesMax: 4_294_967_296, countMax: 64, memoryBytesMax: 262_144 };

/** Where bodies lie together: what they may take, and files for them. */
export interface SpoolRoom {
  readonly limits: SpoolLimits;
  /** Throws CLY_SPOOL_FULL when there is no room for so many more bytes. */
  reserve(byteCount: number): void;
  /** A body is gone, and what it reserved with it. */
  release(byteCount: number): void;
  openFile(id: Uint8Array): Promise<{ readonly handle: FileHandle; readonly path: string }>;
}
