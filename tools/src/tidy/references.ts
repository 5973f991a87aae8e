// SPDX-License-Identifier: Apache-2.0
import { posix } from 'node:path';
import type { Finding, SourceText } from './finding.ts';

type Manifest = {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
};
type TsConfig = { readonly references?: readonly { readonly path: string }[] };

/**
 * The compiler builds a package's workspace dependencies first only if tsconfig.json refers to them, and the root
 * builds only what it refers to: both lists follow package.json. What only tests need (devDependencies) is left out:
 * libs/testing depends on core, whose tests use it, and references may not go in a circle.
 */
export function projectReferences(sources: readonly SourceText[]): readonly Finding[] {
  const byPath = new Map(sources.map((source) => [source.path, source.text]));
  const folders = [...byPath.keys()]
    .filter((path) => path.endsWith('/tsconfig.json') && byPath.has(path.replace('tsconfig.json', 'package.json')))
    .map(posix.dirname);
  const manifest = (folder: string): Manifest => JSON.parse(byPath.get(`${folder}/package.json`) ?? '{}') as Manifest;
  const folderOf = new Map(folders.map((folder) => [manifest(folder).name, folder]));
  const wantedBy = (folder: string): readonly string[] => {
    return Object.keys(manifest(folder).dependencies ?? {}).flatMap((name) => folderOf.get(name) ?? []);
  };
  return [
    ...folders.flatMap((folder) => compare(`${folder}/tsconfig.json`, wantedBy(folder), byPath)),
    ...compare('tsconfig.json', folders, byPath),
  ];
}

function compare(path: string, wanted: readonly string[], byPath: ReadonlyMap<string, string>): readonly Finding[] {
  const { references = [] } = JSON.parse(byPath.get(path) ?? '{}') as TsConfig;
  const present = references.map((reference) => posix.join(posix.dirname(path), reference.path));
  const missing = wanted.filter((folder) => !present.includes(folder));
  if (missing.length === 0) return [];
  const message = `add references to ${missing.join(', ')}, which package.json names`;
  return [{ rule: 'project-reference', path, line: 1, measured: missing.length, message }];
}
