// SPDX-License-Identifier: Apache-2.0
import { cp, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { VerifyReport } from '@clyra/verifier/report/verify-report';
import { type VerifyOptions, verifyBundle } from '@clyra/verifier/verify-bundle';

export type BrokenCopy = {
  readonly file: string;
  /** From 0, in the file. */
  readonly byte: number;
  /** From 1, where the file has lines. */
  readonly line: number;
  readonly bit: number;
  readonly report: VerifyReport;
};

/** Help that says of itself that it is unsigned: a flip there breaks nothing. */
const UNSIGNED = 'VERIFY.md';

/** Flips one bit of a copy of a bundle, at a place drawn from the seed, and verifies the copy. */
export async function breakCopy(bundle: Omit<VerifyOptions, 'mode'>, seed: number): Promise<BrokenCopy> {
  const folder = await mkdtemp(join(tmpdir(), 'clyra-broken-'));
  try {
    await cp(bundle.directory, folder, { recursive: true });
    const { file, byte, bit } = pickPlace(await filesBelow(folder), seed);
    const content = await readFile(join(folder, file));
    content[byte] = (content[byte] ?? 0) ^ (1 << bit);
    await writeFile(join(folder, file), content);
    const line = content.subarray(0, byte).filter((one) => one === 0x0a).length + 1;
    const report = await verifyBundle({ ...bundle, directory: folder, mode: 'full' });
    return { file, byte, line, bit, report };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type SizedFile = { readonly file: string; readonly size: number };

async function filesBelow(folder: string): Promise<readonly SizedFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: SizedFile[] = [];
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && entry.name !== UNSIGNED)
      files.push({ file: relative(folder, path), size: (await stat(path)).size });
  }
  return files.sort((a, b) => (a.file < b.file ? -1 : 1));
}

/** Every byte of the bundle is as likely as any other. */
function pickPlace(files: readonly SizedFile[], seed: number): { file: string; byte: number; bit: number } {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let at = Math.floor(fraction(seed) * total);
  for (const { file, size } of files) {
    if (at < size) return { file, byte: at, bit: seed % 8 };
    at -= size;
  }
  return { file: files[0]?.file ?? '', byte: 0, bit: 0 };
}

/** mulberry32: one well-mixed number in [0, 1) from a seed of 32 bits. */
function fraction(seed: number): number {
  let mixed = (seed + 0x6d2b79f5) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
}

/** Whether the report names the place: the file, and in the journal the line or a range that holds it. */
export function namesThePlace({ file, line, report }: BrokenCopy): boolean {
  // A bundle that says it is of another version is not judged any further: its claims name the place.
  const unsupported = report.claims.filter(({ status }) => status === 'UNSUPPORTED');
  return [...report.failures, ...unsupported].some(({ location }) => {
    if (location === null || location.file !== file) return false;
    if (file !== 'journal.jsonl' || location.line === undefined) return file !== 'journal.jsonl';
    return line >= location.line && line <= (location.lineTo ?? location.line);
  });
}
