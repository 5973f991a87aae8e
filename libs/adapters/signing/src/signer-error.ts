// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

/** A signer that may answer later. Nothing is ever published unsigned meanwhile: callers wait or refuse. */
export function signerUnavailable(where: string, why: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_SIGNER_UNAVAILABLE', `signer ${where}: ${why}; it is asked again`, {
    retry: 'backoff',
    context: { signer: where },
    cause,
  });
}

/** A signer that says no, or what it says is wrong: asking again changes nothing. */
export function signerRefused(where: string, why: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_SIGNER_REFUSED', `signer ${where}: ${why}`, {
    retry: 'never',
    context: { signer: where },
    cause,
  });
}
