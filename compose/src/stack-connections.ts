// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { POSTGRES_SUPERUSER, postgresPassword } from './postgres/postgres.ts';
import { LOCAL_ADDRESS } from './process/port-holder.ts';
import type { StackConfig } from './stack-config.ts';
import type { StackPaths } from './stack-paths.ts';

export type PostgresConnections = {
  readonly host: string;
  readonly port: number;
  /** A superuser. */
  readonly user: string;
  readonly password: string;
  readonly database: string;
};

export type StackConnections = {
  readonly kafka: { readonly bootstrap: string };
  readonly registry: { readonly url: string };
  /** undefined as long as PostgreSQL was never started in this folder. */
  readonly postgres: PostgresConnections | undefined;
};

export function connectionsOf({ ports }: Pick<StackConfig, 'ports'>, paths: StackPaths): StackConnections {
  return {
    kafka: { bootstrap: `${LOCAL_ADDRESS}:${ports.kafka}` },
    registry: { url: `http://${LOCAL_ADDRESS}:${ports.registry}` },
    postgres: existsSync(`${paths.postgresHome}/initialised`)
      ? {
          host: LOCAL_ADDRESS,
          port: ports.postgres,
          user: POSTGRES_SUPERUSER,
          password: postgresPassword(paths),
          database: 'postgres',
        }
      : undefined,
  };
}
