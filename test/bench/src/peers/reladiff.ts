// SPDX-License-Identifier: Apache-2.0
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stackConfig } from '@clyra/stack/stack-config';

const VERSION = '0.6.0';
const run = promisify(execFile);

export type ReladiffAnswer = { readonly added: readonly string[]; readonly removed: readonly string[] };

/** reladiff from PyPI in a virtual environment of its own, made the first time. */
export class Reladiff {
  readonly #program: string;

  private constructor(program: string) {
    this.#program = program;
  }

  static async open(say: (line: string) => void): Promise<Reladiff> {
    const parent = join(stackConfig({}).cacheDir, 'reladiff');
    const folder = join(parent, VERSION);
    const program = join(folder, 'bin', 'reladiff');
    if (!existsSync(program)) {
      say(`fetching reladiff ${VERSION} with pip, once`);
      mkdirSync(parent, { recursive: true });
      await run('python3', ['-m', 'venv', folder]);
      await run(join(folder, 'bin', 'pip'), ['install', '-q', `reladiff[postgresql]==${VERSION}`]);
    }
    return new Reladiff(program);
  }

  /** What its start alone takes. */
  async start(): Promise<void> {
    await run(this.#program, ['--version']);
  }

  /** Rows by key; a changed row is in both lists, as reladiff writes it. */
  async diff(url: string, tables: readonly [string, string], algorithm: string): Promise<ReladiffAnswer> {
    const args = [url, ...tables, '-k', 'id', '-c', '%', '-a', algorithm, '-j', '2'];
    const { stdout } = await run(this.#program, args, { maxBuffer: 64 * 1_024 * 1_024 });
    const of = (sign: string): string[] =>
      stdout
        .split('\n')
        .filter((line) => line.startsWith(`${sign} `))
        .map((line) => line.slice(2).split(',')[0]?.trim() ?? '')
        .sort();
    return { added: of('+'), removed: of('-') };
  }
}
