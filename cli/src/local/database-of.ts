// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { stackStatus } from '@clyra/stack/stack-status';
import type { Context } from '../context.ts';
import { connectionOf, type SourceEntry } from './sources-file.ts';

/** The database that a command names, or the one that `up` started. */
export function databaseOf({ layout }: Context, url: string | undefined): SourceEntry['connection'] {
  if (url !== undefined) return connectionOf(url);
  const found = stackStatus(layout.stackDir)?.connections.postgres;
  if (found !== undefined) return found;
  throw new ClyraError('CLY_LOCAL_MISSING', 'no local PostgreSQL was started: name the database with --url', {
    retry: 'never',
  });
}
