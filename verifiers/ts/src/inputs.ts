// SPDX-License-Identifier: Apache-2.0
import { DISCLOSURES_BYTES_MAX, type Disclosure, parseDisclosures } from './disclosure/parse-disclosures.ts';
import { CHECKPOINT_BYTES_MAX, type Checkpoint, parseCheckpoint } from './documents/checkpoint.ts';
import {
  DEFAULT_POLICY,
  parseVerificationPolicy,
  VERIFICATION_POLICY_BYTES_MAX,
  type VerificationPolicy,
} from './documents/verification-policy.ts';
import { Malformed, orMalformed } from './report/malformed.ts';
import type { FileAccess } from './source/open-bundle.ts';
import { parseTrustRoot, TRUST_ROOT_BYTES_MAX, type TrustRoot } from './trust/trust-root.ts';

/** What the reader brings along: none of it is taken from the bundle. */
export interface Inputs {
  readonly trustRoot: TrustRoot | null;
  readonly policy: VerificationPolicy;
  readonly previous: Checkpoint | null;
  readonly disclosures: readonly Disclosure[] | null;
}

export interface InputFiles {
  readonly trustRootFile?: string;
  readonly policyFile?: string;
  readonly previousFile?: string;
  readonly disclosuresFile?: string;
}

interface Format<T> {
  readonly bytesMax: number;
  readonly code: string;
  readonly parse: (bytes: Buffer) => T;
}

/** Reads the reader's own files (verification.md §3 A). Throws Malformed, ReadError or system errors. */
export async function readInputs(files: InputFiles, access: FileAccess): Promise<Inputs> {
  const trustRoot = await load(access, files.trustRootFile, {
    bytesMax: TRUST_ROOT_BYTES_MAX,
    code: 'CLY_TRUST_ROOT_SHAPE',
    parse: parseTrustRoot,
  });
  const policy = await load(access, files.policyFile, {
    bytesMax: VERIFICATION_POLICY_BYTES_MAX,
    code: 'CLY_VERIFICATION_POLICY_SHAPE',
    parse: parseVerificationPolicy,
  });
  const previous = await load(access, files.previousFile, {
    bytesMax: CHECKPOINT_BYTES_MAX,
    code: 'CLY_CHECKPOINT_SHAPE',
    parse: parseCheckpoint,
  });
  const disclosures = await load(access, files.disclosuresFile, {
    bytesMax: DISCLOSURES_BYTES_MAX,
    code: 'CLY_DISCLOSURE_SHAPE',
    parse: parseDisclosures,
  });
  // A file without disclosures opens nothing: absent is never pass.
  const given = disclosures !== null && disclosures.length > 0 ? disclosures : null;
  return { trustRoot, policy: policy ?? DEFAULT_POLICY, previous, disclosures: given };
}

async function load<T>(
  access: FileAccess,
  path: string | undefined,
  { bytesMax, code, parse }: Format<T>,
): Promise<T | null> {
  if (path === undefined) {
    return null;
  }
  const file = await access.openFile(path);
  try {
    if (file.size > bytesMax) {
      throw new Malformed(code, `${path} is larger than ${bytesMax} bytes`, { file: path });
    }
    const bytes = Buffer.alloc(file.size);
    await file.read(bytes, 0);
    return orMalformed(() => parse(bytes), { code, file: path, isOneCode: true });
  } finally {
    await file.close();
  }
}
