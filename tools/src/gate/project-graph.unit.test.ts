// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { projectsMissingFromGraph } from './project-graph.ts';

describe('the project graph', () => {
  const root = mkdtempSync(join(tmpdir(), 'clyra-graph-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const write = (path: string, value: unknown) => writeFileSync(join(root, path), JSON.stringify(value));
  mkdirSync(join(root, 'libs/core'), { recursive: true });
  mkdirSync(join(root, 'cli'));
  write('package.json', { name: 'root', workspaces: ['libs/*', 'cli'] });
  write('libs/core/package.json', { name: '@clyra/core' });
  write('cli/package.json', { name: '@clyra/cli' });

  it('is refused when it lacks a workspace', () => {
    write('graph.json', { graph: { nodes: { '@clyra/core': {} } } });
    expect(projectsMissingFromGraph(root, join(root, 'graph.json'))).toEqual(['@clyra/cli']);
  });

  it('is accepted when it has all of them', () => {
    write('graph.json', { graph: { nodes: { '@clyra/core': {}, '@clyra/cli': {} } } });
    expect(projectsMissingFromGraph(root, join(root, 'graph.json'))).toEqual([]);
  });
});
