// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** A token that is none, or that does not say what it should. It is never put beside a bundle. */
export function stampError(what: string): ClyraError {
  return new ClyraError('CLY_TIME_STAMP', `the time-stamp ${what}: it is not used; ask the TSA's operator`, {
    retry: 'never',
  });
}
