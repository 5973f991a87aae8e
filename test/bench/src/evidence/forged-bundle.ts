// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';

const ROOT = resolve(import.meta.dirname, '../../../..');

/** Both verifiers and the forge, built into a folder of their own. */
export class VerifierTools {
  readonly folder = mkdtempSync(join(tmpdir(), 'clyra-bench-verifiers-'));

  readonly typescript: string;

  constructor() {
    const packages = ['./cmd/clyra-verify', './cmd/clyra-forge'];
    execFileSync('go', ['build', '-o', `${this.folder}/`, ...packages], { cwd: join(ROOT, 'verifiers/go') });
    this.typescript = compile(join(this.folder, 'typescript'));
  }

  get verifier(): string {
    return join(this.folder, 'clyra-verify');
  }

  /** Writes a bundle of so many units of which `send` are signed at once: four lines each, or one if only `watched`. */
  forge(name: string, units: number, { send, watched = false }: { send: number; watched?: boolean }): ForgedBundle {
    const folder = join(this.folder, name);
    const args = ['-out', folder, '-units', String(units), '-send', String(send), ...(watched ? ['-watched'] : [])];
    const said = execFileSync(join(this.folder, 'clyra-forge'), args, { encoding: 'utf8' });
    const [bytes = 0, lines = 0] = said.trim().split(' ').map(Number);
    return { folder, bytes, lines, trustRoot: join(folder, 'trust-root.json'), bundle: join(folder, 'bundle') };
  }

  remove(name = ''): void {
    rmSync(join(this.folder, name), { recursive: true });
  }
}

export type ForgedBundle = {
  readonly folder: string;
  readonly bundle: string;
  readonly trustRoot: string;
  /** Of the journal. */
  readonly bytes: number;
  readonly lines: number;
};

/** The limits of memory that the TypeScript verifier's own command gives to Node. */
export function nodeLimits(): readonly string[] {
  const command = readFileSync(join(ROOT, 'verifiers/ts/bin/clyra-verify'), 'utf8');
  return (/^limits='([^']+)'$/m.exec(command)?.[1] ?? '').split(' ');
}

/** Compiles the TypeScript verifier into a folder, as one would install it, and gives its program. */
function compile(folder: string): string {
  const options = ['--outDir', folder, '--composite', 'false', '--incremental', 'false'];
  const plain = ['--declaration', 'false', '--declarationMap', 'false', '--sourceMap', 'false'];
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [tsc, '-p', join(ROOT, 'verifiers/ts'), ...options, ...plain]);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  return join(folder, 'main.js');
}
