// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

const LEAN_START = fileURLToPath(new URL('../start/lean-start.mjs', import.meta.url));
const PROGRAM = `import { createServer } from 'node:http';
type Count = number;
const one: Count = 1; console.log(JSON.stringify({ one, at: new Error('x').stack?.split('\\n')[1]?.match(/\\d+:\\d+/)?.[0],
  compiler: process.moduleLoadList.some((name) => name.includes('deps/amaro')),
  client: process.moduleLoadList.some((name) => name.includes('undici')), server: typeof createServer, socket: typeof WebSocket }));
`;

const AT = `3:${(PROGRAM.split('\n')[2]?.indexOf('new Error') ?? 0) + 1}`;

type Told = { readonly one: number; readonly at: string; readonly compiler: boolean; readonly client: boolean };

describe('a lean start', () => {
  let root: string;
  let kept: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'clyra-lean-'));
    kept = join(root, 'node_modules', '.cache', 'clyra', 'stripped');
    mkdirSync(join(root, 'libs', 'runtime', 'start'), { recursive: true });
    cpSync(LEAN_START, join(root, 'libs', 'runtime', 'start', 'lean-start.mjs'));
    writeFileSync(join(root, 'main.ts'), PROGRAM);
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const start = (): Told => {
    const lean = `--import=${join(root, 'libs', 'runtime', 'start', 'lean-start.mjs')}`;
    const args = ['--disable-warning=ExperimentalWarning', lean, join(root, 'main.ts')];
    return JSON.parse(execFileSync(process.execPath, args, { env: {}, encoding: 'utf8' })) as Told;
  };

  it('strips the types of a source once: later starts do without the compiler, and lines stay where they are', () => {
    expect(start()).toMatchObject({ one: 1, at: AT, compiler: true });
    expect(start()).toMatchObject({ one: 1, at: AT, compiler: false });
    expect(readdirSync(kept)).toHaveLength(1);
  });

  it('does not load the web client of the platform for who only imports its HTTP', () => {
    expect(start()).toMatchObject({ client: false, server: 'function', socket: 'function' });
  });

  it('runs the source as it is now, not as it was', () => {
    start();
    writeFileSync(join(root, 'main.ts'), PROGRAM.replace('= 1;', '= 2;'));
    expect(start()).toMatchObject({ one: 2, compiler: true });
  });

  it('does not run what was not written whole', () => {
    start();
    const [name = ''] = readdirSync(kept);
    const whole = readFileSync(join(kept, name), 'utf8');
    writeFileSync(join(kept, name), whole.slice(0, whole.length / 2));
    expect(start()).toMatchObject({ one: 1, compiler: true });
    expect(readFileSync(join(kept, name), 'utf8')).toBe(whole);
  });

  it('starts where nothing can be kept', () => {
    mkdirSync(join(root, 'node_modules'));
    writeFileSync(join(root, 'node_modules', '.cache'), 'no folder');
    chmodSync(join(root, 'node_modules'), 0o555);
    expect(start()).toMatchObject({ one: 1, compiler: true });
  });
});
