// SPDX-License-Identifier: Apache-2.0
import { type MemoryEntry, openMemory, openMemoryFile } from '@clyra/verifier/source/memory-source';
import type { FileAccess } from '@clyra/verifier/source/open-bundle';
import { openTar } from '@clyra/verifier/source/tar-source';
import { type VerifyOptions, verifyBundle } from '@clyra/verifier/verify-bundle';

/** Everything of a case by name: files of the bundle, `@tar` instead of them, and what the reader passes. */
export type CaseFiles = ReadonlyMap<string, MemoryEntry>;

/** What stands before the bytes of a case: `set` lists name and size, −1 for a folder, −2 for what is no file at all. */
export interface PackedHeader {
  readonly define?: number;
  readonly base?: number;
  readonly head?: boolean;
  readonly drop?: readonly string[];
  readonly set: readonly (readonly [name: string, size: number])[];
}

export function unpack(header: PackedHeader, bytes: Buffer, base: CaseFiles): CaseFiles {
  const files = new Map(base);
  for (const name of header.drop ?? []) {
    files.delete(name);
  }
  let at = 0;
  for (const [name, size] of header.set) {
    if (size < 0) {
      files.set(name, size === -1 ? 'folder' : 'other');
      continue;
    }
    files.set(name, bytes.subarray(at, at + size));
    at += size;
  }
  return files;
}

/** The verdict on a case in memory, in the form in which verdicts are compared. */
export async function verdictOf(files: CaseFiles, mode: 'head' | 'full'): Promise<string> {
  const report = await verifyBundle(optionsOf(files, mode));
  const claims = report.claims.map(({ id, status, code }) => `; ${id} ${status}${code === null ? '' : ` ${code}`}`);
  return `exit ${report.exitCode}${claims.join('')}`;
}

function optionsOf(files: CaseFiles, mode: 'head' | 'full'): VerifyOptions {
  const has = (name: string) => (files.has(name) ? name : undefined);
  const [trustRootFile, policyFile] = [has('@trust-root'), has('@policy')];
  const [previousFile, disclosuresFile] = [has('@previous'), has('@disclosures')];
  return {
    directory: 'bundle',
    mode,
    access: accessTo(files),
    ...(trustRootFile === undefined ? {} : { trustRootFile }),
    ...(policyFile === undefined ? {} : { policyFile }),
    ...(previousFile === undefined ? {} : { previousFile }),
    ...(disclosuresFile === undefined ? {} : { disclosuresFile }),
  };
}

function accessTo(files: CaseFiles): FileAccess {
  const openFile = (name: string) => Promise.resolve(openMemoryFile(files.get(name) as Uint8Array));
  const openBundle = async () =>
    files.has('@tar')
      ? openTar(await openFile('@tar'))
      : openMemory(new Map([...files].filter(([name]) => !name.startsWith('@'))));
  return { openFile, openBundle };
}
