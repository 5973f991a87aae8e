// SPDX-License-Identifier: Apache-2.0
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Manifest = { readonly name: string; readonly workspaces?: readonly string[] };
type GraphFile = { readonly graph: { readonly nodes: Readonly<Record<string, unknown>> } };

/**
 * Names the workspaces which the project graph does not know. ESLint's boundary rule judges by the graph, and passes
 * silently for a project that is not in it.
 */
export function projectsMissingFromGraph(root: string, graphFile: string): readonly string[] {
  const { graph } = readJson<GraphFile>(graphFile);
  const { workspaces = [] } = readJson<Manifest>(join(root, 'package.json'));
  return globSync(
    workspaces.map((pattern) => `${pattern}/package.json`),
    { cwd: root },
  )
    .map((path) => readJson<Manifest>(join(root, path)).name)
    .filter((name) => graph.nodes[name] === undefined);
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, 'utf8')) as T;
}
