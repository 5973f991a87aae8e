// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Context } from '../context.ts';

/** Takes the place of the demonstration until it is there. */
export async function quickstart(_context: Context, _args: readonly string[]): Promise<number> {
  throw new ClyraError('CLY_CLI_NOT_READY', 'the quickstart is not there yet: use `clyra up` and `clyra tenant open`', {
    retry: 'never',
  });
}
