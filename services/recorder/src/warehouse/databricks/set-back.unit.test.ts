// SPDX-License-Identifier: Apache-2.0
import { logFileName } from '@clyra/adapter-databricks/delta-log';
import type { TableVersion } from '@clyra/adapter-databricks/table-history';
import { digestOf } from '@clyra/core/canonical/digest';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { describe, expect, it } from '@jest/globals';
import { isSetBack } from './set-back.ts';

const versionAt = (version: number, atMs: number): TableVersion => ({
  ...{ version, atMs, operation: 'WRITE', parameters: null, metrics: null, userMetadata: '', user: '' },
});
const lookOf = (...versions: readonly TableVersion[]) => ({ versions, newest: versions[0] });
const fileOf = (version: number, text: string): BlobStore =>
  ({ get: async (name: string) => (name === logFileName(version) ? Buffer.from(text) : undefined) }) as BlobStore;

const told = { version: 7, atMs: 700 };
const digested = { ...told, logDigest: digestOf(Buffer.from('seven')) };

describe('a Delta log between two looks', () => {
  it('is as it was where the version that was told last is the same commit', async () => {
    expect(await isSetBack(lookOf(versionAt(9, 900), versionAt(7, 700)), told, undefined)).toBe(false);
    expect(await isSetBack(lookOf(versionAt(7, 700)), undefined, undefined)).toBe(false);
    expect(await isSetBack(lookOf(), told, undefined)).toBe(false);
    // Its file was cleaned away, and the window ends behind it.
    expect(await isSetBack(lookOf(versionAt(9, 900)), digested, fileOf(9, 'nine'))).toBe(false);
  });

  it('was set back where that version is gone, or another commit by its time or by its bytes', async () => {
    expect(await isSetBack(lookOf(versionAt(6, 600)), told, undefined)).toBe(true);
    expect(await isSetBack(lookOf(versionAt(9, 900), versionAt(7, 710)), told, undefined)).toBe(true);
    expect(await isSetBack(lookOf(versionAt(9, 900), versionAt(7, 700)), digested, fileOf(7, 'other'))).toBe(true);
  });

  it('was only copied where the bytes are the same under another time, and made anew where it begins later', async () => {
    expect(await isSetBack(lookOf(versionAt(7, 710)), digested, fileOf(7, 'seven'))).toBe(false);
    expect(await isSetBack(lookOf(versionAt(8, 890), versionAt(7, 880), versionAt(0, 800)), told, undefined)).toBe(
      false,
    );
  });
});
