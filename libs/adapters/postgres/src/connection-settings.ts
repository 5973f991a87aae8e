// SPDX-License-Identifier: Apache-2.0
import type { ConnectionOptions } from 'node:tls';
import type { ClientConfig } from 'pg';

/** Where a PostgreSQL server is and who connects. Nothing is read from the environment. */
export type PostgresConnection = {
  /** A host name, an address, or the folder of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  /** A function is asked for each new connection, so that a rotated secret is picked up. */
  readonly password?: string | (() => string | Promise<string>);
  /** false is plain text; an object verifies the server unless it says otherwise. */
  readonly tls?: ConnectionOptions | false;
  /** Shown in pg_stat_activity; at most 63 bytes are kept by the server. */
  readonly applicationName?: string;
};

export type PostgresTimeouts = {
  /** Until the server has accepted the session. */
  readonly connectTimeoutMs: number;
  /** For one statement; the client gives up a little later than the server. */
  readonly statementTimeoutMs: number;
};

export const DEFAULT_POSTGRES_TIMEOUTS: PostgresTimeouts = { connectTimeoutMs: 10_000, statementTimeoutMs: 30_000 };

const DEFAULT_APPLICATION_NAME = 'clyra';
const KEEP_ALIVE_DELAY_MS = 10_000;

/**
 * Values leave the server as text written by the session's settings. These fix every setting that changes such
 * text, so that a change of a role's or a database's defaults cannot change the digest of a row sent again.
 */
const OUTPUT_SETTINGS = {
  datestyle: 'ISO',
  intervalstyle: 'postgres',
  timezone: 'UTC',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmlbinary: 'base64',
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  search_path: 'pg_catalog',
} as const;

/** What `pg` wants for an ordinary session. */
export function clientConfig(connection: PostgresConnection): ClientConfig {
  return {
    host: connection.host,
    port: connection.port,
    database: connection.database,
    user: connection.user,
    ...(connection.password === undefined ? {} : { password: connection.password }),
    ssl: connection.tls ?? false,
    application_name: connection.applicationName ?? DEFAULT_APPLICATION_NAME,
    client_encoding: 'UTF8',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
  };
}

/** What `pg` wants for a replication session, whose text output is the same whatever the server's defaults are. */
export function replicationClientConfig(
  connection: PostgresConnection,
  connectTimeoutMs: number,
): ClientConfig & { replication: 'database' } {
  const options = Object.entries(OUTPUT_SETTINGS)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ');
  return { ...clientConfig(connection), connectionTimeoutMillis: connectTimeoutMs, options, replication: 'database' };
}
