// SPDX-License-Identifier: Apache-2.0
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { VerifyReport } from '../report/verify-report.ts';
import { type VerifyOptions, verifyBundle } from '../verify-bundle.ts';
import { type BuiltBundle, writeBundle } from './seal.ts';

export interface RunOptions {
  readonly mode?: VerifyOptions['mode'];
  /** Null: none is passed. */
  readonly trustRoot?: string | null;
  readonly previous?: string | Buffer;
  readonly policy?: string;
  /** Bends the folder after it was written. */
  readonly bend?: (directory: string) => void;
  /** Looks at the folder before it is verified. */
  readonly look?: (directory: string) => Promise<unknown>;
}

/** Writes a bundle into a fresh folder, verifies it and removes it. */
export async function runVerifier(bundle: BuiltBundle, options: RunOptions = {}): Promise<VerifyReport> {
  const { root, directory, trustRootFile } = writeBundle(bundle);
  const put = (name: string, bytes: string | Buffer) => {
    writeFileSync(join(root, name), bytes);
    return join(root, name);
  };
  try {
    options.bend?.(directory);
    await options.look?.(directory);
    if (typeof options.trustRoot === 'string') {
      writeFileSync(trustRootFile, options.trustRoot);
    }
    return await verifyBundle({
      directory,
      mode: options.mode ?? 'full',
      ...(options.trustRoot === null ? {} : { trustRootFile }),
      ...(options.previous === undefined ? {} : { previousFile: put('previous', options.previous) }),
      ...(options.policy === undefined ? {} : { policyFile: put('policy.json', options.policy) }),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}
