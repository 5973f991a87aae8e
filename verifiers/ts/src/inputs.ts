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
  const trustRoot = await load(files.trustRootFile, TRUST_ROOT_BYTES_MAX, 'CLY_TRUST_ROOT_SHAPE', parseTrustRoot);
  const policy = await load(
    files.policyFile,
    VERIFICATION_POLICY_BYTES_MAX,
    'CLY_VERIFICATION_POLICY_SHAPE',
    parseVerificationPolicy,
  );
  const previous = await load(files.previousFile, CHECKPOINT_BYTES_MAX, 'CLY_CHECKPOINT_SHAPE', parseCheckpoint);
  return failures.malformed === null ? { trustRoot, policy: policy ?? DEFAULT_POLICY, previous } : null;
}

type Load = <T>(
  file: string | undefined,
  bytesMax: number,
  code: string,
  parse: (bytes: Buffer) => T,
) => Promise<T | null>;

function loader(failures: Failures): Load {
  return async (file, bytesMax, code, parse) => {
    if (file === undefined) {
      return null;
    }
    try {
      return parse(await readBounded(file, bytesMax));
    } catch (error) {
      if (error instanceof FileError && error.code === 'CLY_BUNDLE_FILE_MISSING') {
        throw new FileError(error.code, `${file} ${error.message}`);
      }
      const problem =
        error instanceof FileError
          ? { code, message: error.message, location: { file } }
          : describeParseError(error, code, { file });
      failures.addMalformed('integrity', problem.code, `${file}: ${problem.message}`, problem.location);
      return null;
    }
  };
}
