// SPDX-License-Identifier: Apache-2.0
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { VerifyReport } from '../report/verify-report.ts';
import { type VerifyOptions, verifyBundle } from '../verify-bundle.ts';
import type { BuiltBundle } from './seal.ts';

export interface RunOptions {
  readonly mode?: VerifyOptions['mode'];
  /** Null: none is passed. */
  readonly trustRoot?: string | Buffer | null;
  readonly previous?: string | Buffer;
  readonly policy?: string;
  readonly disclosures?: string;
  /** Bends the folder after it was written. */
  readonly bend?: (directory: string) => void;
}

/** Writes a bundle into a fresh folder, verifies it and removes it. */
export async function runVerifier(
  bundle: Pick<BuiltBundle, 'files' | 'trustRoot'>,
  options: RunOptions = {},
): Promise<VerifyReport> {
  const root = mkdtempSync(join(tmpdir(), 'clyra-verifier-'));
  const directory = join(root, 'bundle');
  const put = (name: string, content: string | Uint8Array): string => {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  };
  try {
    for (const [name, bytes] of bundle.files) {
      put(join('bundle', name), bytes);
    }
    options.bend?.(directory);
    return await verifyBundle({
      directory,
      mode: options.mode ?? 'full',
      ...(options.trustRoot === null
        ? {}
        : { trustRootFile: put('trust-root.json', options.trustRoot ?? bundle.trustRoot) }),
      ...(options.previous === undefined ? {} : { previousFile: put('previous', options.previous) }),
      ...(options.policy === undefined ? {} : { policyFile: put('policy.json', options.policy) }),
      ...(options.disclosures === undefined ? {} : { disclosuresFile: put('disclosures', options.disclosures) }),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}
