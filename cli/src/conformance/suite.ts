// SPDX-License-Identifier: Apache-2.0
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ClyraError } from '@clyra/core/kernel/error';

/** Makes a case out of its unpacked bundle, for what is too large or too odd to be kept in a repository. */
export type Step =
  | { readonly op: 'write'; readonly name: string; readonly text?: string; readonly base64?: string }
  | {
      readonly op: 'lines';
      readonly name: string;
      readonly from: number;
      readonly remove: number;
      readonly lines: readonly string[];
    }
  | {
      readonly op: 'fill';
      readonly name: string;
      readonly head: string;
      readonly unit: string;
      readonly count: number;
      readonly tail: string;
    }
  | { readonly op: 'many'; readonly folder: string; readonly count: number }
  | { readonly op: 'symlink'; readonly name: string; readonly target: string }
  | { readonly op: 'fifo'; readonly name: string }
  | { readonly op: 'remove'; readonly name: string };

export type ClaimVerdict = readonly [id: string, status: string, code: string | null];

export type Expected = { readonly exit_code: number; readonly claims: readonly ClaimVerdict[] };

/** One case of the suite: what is passed to a verifier, and what it must say (schemas/vectors/bundles/README.md). */
export type SuiteCase = {
  readonly name: string;
  /** The folder of the case; the files below are named from it. */
  readonly folder: string;
  readonly bundle: string;
  readonly steps?: readonly Step[];
  readonly trust_root?: string;
  readonly policy?: string;
  readonly previous?: string;
  readonly disclosures?: string;
  readonly mode?: 'head' | 'full';
  readonly expect: Expected;
};

export const SUITE_FOLDER: string = fileURLToPath(new URL('../../../schemas/vectors/bundles', import.meta.url));

/** The cases of a suite, by name. Folders whose name begins with `_` hold what cases share. */
export function readSuite(folder: string): readonly SuiteCase[] {
  if (!existsSync(folder)) throw noSuite(folder);
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) throw noSuite(folder);
  return names.map((name) => {
    const own = join(folder, name);
    return { ...(JSON.parse(readFileSync(join(own, 'case.json'), 'utf8')) as SuiteCase), name, folder: own };
  });
}

/** The arguments of a case for a verifier that keeps the contract (docs/spec/verification.md). */
export function argumentsOf(one: SuiteCase, bundlePath: string): readonly string[] {
  const files: readonly (readonly [string, string | undefined])[] = [
    ['--trust-root', one.trust_root],
    ['--policy', one.policy],
    ['--previous', one.previous],
    ['--disclosures', one.disclosures],
  ];
  const passed = files.flatMap(([option, file]) => (file === undefined ? [] : [option, join(one.folder, file)]));
  return [...passed, ...(one.mode === undefined ? [] : ['--mode', one.mode]), bundlePath];
}

function noSuite(folder: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', `${folder} holds no conformance suite: pass its folder with --suite`, {
    retry: 'never',
    context: { folder },
  });
}
