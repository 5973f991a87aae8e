// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { inheritedEnvironment } from '@clyra/cli/config';
import { findProgram } from '@clyra/stack/process/find-program';
import { hostPath } from './config.ts';

/** A program of PostgreSQL's client package; undefined where the host has only the embedded server. */
export function clientProgram(name: 'pgbench' | 'pg_recvlogical'): string | undefined {
  return findProgram(name, hostPath());
}

export function connectionArguments({ host, port, user }: PostgresConnection): string[] {
  return ['-h', host, '-p', String(port), '-U', user];
}

export function clientEnvironment({ password }: PostgresConnection): Record<string, string> {
  return { ...inheritedEnvironment(), PGPASSWORD: String(password), PGAPPNAME: 'clyra-fault-test' };
}
