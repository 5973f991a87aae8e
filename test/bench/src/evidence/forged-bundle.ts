// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../../../..');

/** The Go tools of the verifiers, built into a folder of their own. */
export class GoTools {
  readonly folder = mkdtempSync(join(tmpdir(), 'clyra-bench-verifiers-'));

  constructor() {
    const packages = ['./cmd/clyra-verify', './cmd/clyra-forge'];
    execFileSync('go', ['build', '-o', `${this.folder}/`, ...packages], { cwd: join(ROOT, 'verifiers/go') });
  }

  get verifier(): string {
    return join(this.folder, 'clyra-verify');
  }

  /** Writes a bundle of so many units (four lines each) of which `send` are signed at once. */
  forge(name: string, units: number, send: number): ForgedBundle {
    const folder = join(this.folder, name);
    const args = ['-out', folder, '-units', String(units), '-send', String(send)];
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

/** Node's heap for a verifier: what it holds is small, and young garbage is collected early. */
export const NODE_LIMITS: readonly string[] = ['--max-semi-space-size=1', '--max-old-space-size=16'];

export function typescriptVerifier(): readonly string[] {
  return ['--conditions=@clyra/source', join(ROOT, 'verifiers/ts/src/main.ts'), 'verify'];
}
