// SPDX-License-Identifier: Apache-2.0
import { CHECKPOINT_BYTES_MAX, type Checkpoint, parseCheckpoint } from './documents/checkpoint.ts';
import type { VerificationPolicy } from './documents/verification-policy.ts';
import {
  DEFAULT_POLICY,
  parseVerificationPolicy,
  VERIFICATION_POLICY_BYTES_MAX,
} from './documents/verification-policy.ts';
import { FileError, readBounded } from './files/open-regular.ts';
import { describeParseError, type Failures } from './report/failures.ts';
import { parseTrustRoot, TRUST_ROOT_BYTES_MAX, type TrustRoot } from './trust/trust-root.ts';

/** What the reader brings along: none of it is taken from the bundle. */
export interface Inputs {
  readonly trustRoot: TrustRoot | null;
  readonly policy: VerificationPolicy;
  readonly previous: Checkpoint | null;
}

/** Reads the reader's own files. Null when one is not of its format (a failure says so); throws system errors. */
export async function readInputs(
  files: { readonly trustRootFile?: string; readonly policyFile?: string; readonly previousFile?: string },
  failures: Failures,
): Promise<Inputs | null> {
  const load = loader(failures);
  const trustRoot = await load(files.trustRootFile, TRUST_ROOT);
  const policy = await load(files.policyFile, POLICY);
  const previous = await load(files.previousFile, CHECKPOINT);
  return failures.malformed === null ? { trustRoot, policy: policy ?? DEFAULT_POLICY, previous } : null;
}

interface Format<T> {
  readonly bytesMax: number;
  readonly code: string;
  readonly parse: (bytes: Buffer) => T;
}

const TRUST_ROOT: Format<TrustRoot> = {
  bytesMax: TRUST_ROOT_BYTES_MAX,
  code: 'CLY_TRUST_ROOT_SHAPE',
  parse: parseTrustRoot,
};
const POLICY: Format<VerificationPolicy> = {
  bytesMax: VERIFICATION_POLICY_BYTES_MAX,
  code: 'CLY_VERIFICATION_POLICY_SHAPE',
  parse: parseVerificationPolicy,
};
const CHECKPOINT: Format<Checkpoint> = {
  bytesMax: CHECKPOINT_BYTES_MAX,
  code: 'CLY_CHECKPOINT_SHAPE',
  parse: parseCheckpoint,
};

type Load = <T>(file: string | undefined, format: Format<T>) => Promise<T | null>;

function loader(failures: Failures): Load {
  return async (file, { bytesMax, code, parse }) => {
    if (file === undefined) {
      return null;
    }
    try {
      return parse(await readBounded(file, bytesMax, 'follow'));
    } catch (error) {
      if (error instanceof FileError && error.code === 'CLY_BUNDLE_FILE_MISSING') {
        throw new FileError(error.code, `${file} ${error.message}`);
      }
      const problem =
        error instanceof FileError
          ? { code, message: error.message, location: { file } }
          : describeParseError(error, code, { file });
      failures.addMalformed({
        claim: 'integrity',
        code: problem.code,
        message: `${file}: ${problem.message}`,
        location: problem.location,
      });
      return null;
    }
  };
}
