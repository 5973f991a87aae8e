// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import type { SourceText } from './finding.ts';

/** Larger files are data, not text that somebody wrote. */
const TEXT_BYTES_MAX = 1_000_000;

/**
 * Reads every file of the project. It walks the folders itself, without git, so that it also works where the sources
 * came as an archive; the names in .gitignore are left out.
 */
export function readSources(root: string): readonly SourceText[] {
  const ignored = new Set(['.git', ...ignoredNames(root)]);
  const walk = (folder: string): readonly SourceText[] =>
    readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (ignored.has(entry.name)) return [];
      if (entry.isDirectory()) return walk(path);
      return entry.isFile() ? readSource(root, path) : [];
    });
  return walk('');
}

/** Our .gitignore holds plain names, one a line, that are ignored at any depth. */
function ignoredNames(root: string): readonly string[] {
  return readFileSync(join(root, '.gitignore'), 'utf8')
    .split('\n')
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function readSource(root: string, path: string): readonly SourceText[] {
  if (path.endsWith('.tsbuildinfo') || statSync(join(root, path)).size > TEXT_BYTES_MAX) return [];
  const text = readFileSync(join(root, path), 'utf8');
  return text.includes('\0') ? [] : [parseSource(path, text)];
}

export function parseSource(path: string, text: string): SourceText {
  if (!path.endsWith('.ts')) return { path, text };
  return { path, text, syntax: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}
