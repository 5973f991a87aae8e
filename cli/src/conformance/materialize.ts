// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Step, SuiteCase } from './suite.ts';

const BLOCK = 512;
const CHUNK_UNITS = 65_536;

/** The path of a case's bundle: its archive, or a folder made of it by the case's steps. */
export function materialize(one: SuiteCase, scratch: string): string {
  const archive = join(one.folder, one.bundle);
  if (one.steps === undefined) return archive;
  const folder = join(scratch, one.name);
  mkdirSync(folder, { recursive: true });
  for (const [name, bytes] of unpack(readFileSync(archive))) put(folder, name, bytes);
  for (const step of one.steps) apply(folder, step);
  return folder;
}

/** The files of an archive of the suite itself, which is sound where a case has steps. */
function unpack(archive: Buffer): readonly (readonly [string, Buffer])[] {
  const files: [string, Buffer][] = [];
  let at = 0;
  while (at < archive.length && archive[at] !== 0) {
    const name = archive.toString('latin1', at, archive.indexOf(0, at));
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 135), 8);
    files.push([name, archive.subarray(at + BLOCK, at + BLOCK + size)]);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

function apply(folder: string, step: Step): void {
  switch (step.op) {
    case 'write':
      put(
        folder,
        step.name,
        Buffer.from(step.base64 ?? step.text ?? '', step.base64 === undefined ? 'utf8' : 'base64'),
      );
      break;
    case 'lines':
      spliceLines(join(folder, step.name), step);
      break;
    case 'fill':
      fill(folder, step);
      break;
    case 'many':
      for (let index = 0; index < step.count; index += 1) {
        const bytes = Buffer.from(String(index));
        put(folder, `${step.folder}/${createHash('sha256').update(bytes).digest('hex')}`, bytes);
      }
      break;
    case 'symlink':
      symlinkSync(step.target, join(folder, step.name));
      break;
    case 'fifo':
      execFileSync('mkfifo', [join(folder, step.name)]);
      break;
    case 'remove':
      rmSync(join(folder, step.name));
      break;
  }
}

/** Lines count from 0; each ends with LF. */
function spliceLines(path: string, { from, remove, lines }: Extract<Step, { op: 'lines' }>): void {
  const all = readFileSync(path, 'utf8').split('\n');
  all.splice(from, remove, ...lines);
  writeFileSync(path, all.join('\n'));
}

function fill(folder: string, step: Extract<Step, { op: 'fill' }>): void {
  put(folder, step.name, Buffer.from(step.head));
  const path = join(folder, step.name);
  for (let left = step.count; left > 0; left -= CHUNK_UNITS) {
    appendFileSync(path, step.unit.repeat(Math.min(left, CHUNK_UNITS)));
  }
  appendFileSync(path, step.tail);
}

function put(folder: string, name: string, bytes: Uint8Array): void {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}
