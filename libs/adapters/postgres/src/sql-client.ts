// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { Pool, type PoolClient } from 'pg';
import {
  clientConfig,
  DEFAULT_POSTGRES_TIMEOUTS,
  type PostgresConnection,
  type PostgresTimeouts,
} from './connection-settings.ts';
import { classifyPostgresError } from './postgres-error.ts';

/** Bound parameters. Byte arrays become bytea; everything else is sent as text and typed by the statement. */
export type SqlValue = string | number | boolean | bigint | null | Uint8Array | readonly string[];

export type SqlRow = Readonly<Record<string, unknown>>;

export type SqlResult<Row extends SqlRow> = {
  readonly rows: readonly Row[];
  /** Rows read or changed by the last statement. */
  readonly rowCount: number;
};

/** `Row` is the caller's promise about its own select list. int8 and numeric come as text, bytea as Buffer. */
export interface SqlSession {
  /** Several statements may share a text without parameters; the last one answers. Rejects with what `classifyPostgresError` names; `context.sqlState` tells refusals of the server apart. */
  query<Row extends SqlRow = SqlRow>(text: string, params?: readonly SqlValue[]): Promise<SqlResult<Row>>;
}

export interface SqlClient extends SqlSession {
  /**
   * Runs `work` on one connection between BEGIN and COMMIT, and rolls back when it rejects. The session is the
   * transaction: it must not be used after `work` settles. Rejects with CLY_SOURCE_COMMIT_REFUSED when the server
   * rolled back instead, and with a `backoff` code when the outcome of the commit is unknown.
   */
  transaction<Value>(work: (session: SqlSession) => Promise<Value>): Promise<Value>;
  /** Waits for what is under way; later calls reject. */
  close(): Promise<void>;
}

export type SqlClientOptions = {
  readonly connection: PostgresConnection;
  readonly timeouts?: Partial<PostgresTimeouts>;
  /** Connections at most; callers beyond it wait up to the connect timeout. */
  readonly connectionsMax?: number;
  /** An idle connection that broke. It is replaced by itself; the next query tells whether that worked. */
  readonly onIdleError?: (error: ClyraError) => void;
};

const DEFAULT_CONNECTIONS_MAX = 4;
const IDLE_CLOSE_MS = 30_000;
/** The server's own statement timeout should answer first, since it also stops the work. */
const READ_TIMEOUT_MARGIN_MS = 2_000;

/** Connects on first use. */
export function openSqlClient(options: SqlClientOptions): SqlClient {
  const timeouts = { ...DEFAULT_POSTGRES_TIMEOUTS, ...options.timeouts };
  const pool = new Pool({
    ...clientConfig(options.connection),
    max: options.connectionsMax ?? DEFAULT_CONNECTIONS_MAX,
    connectionTimeoutMillis: timeouts.connectTimeoutMs,
    idleTimeoutMillis: IDLE_CLOSE_MS,
    allowExitOnIdle: true,
    statement_timeout: timeouts.statementTimeoutMs,
    idle_in_transaction_session_timeout: timeouts.statementTimeoutMs,
    query_timeout: timeouts.statementTimeoutMs + READ_TIMEOUT_MARGIN_MS,
  });
  // Without a listener a connection that breaks while idle would end the process.
  pool.on('error', (error) => options.onIdleError?.(classifyPostgresError(error, 'connect')));

  return {
    query: (text, params) => run(pool, text, params),
    transaction: (work) => inTransaction(pool, work),
    close: () => pool.end(),
  };
}

async function run<Row extends SqlRow>(
  session: Pool | PoolClient,
  text: string,
  params?: readonly SqlValue[],
): Promise<SqlResult<Row>> {
  try {
    const answer = await session.query<Row>(text, params === undefined ? undefined : params.map(boundValue));
    // Several statements in one text, possible only without parameters, give a list that the types do not tell of.
    const result = Array.isArray(answer) ? (answer.at(-1) as typeof answer) : answer;
    return { rows: result.rows, rowCount: result.rowCount ?? 0 };
  } catch (error) {
    throw classifyPostgresError(error);
  }
}

function boundValue(value: SqlValue): unknown {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}

async function inTransaction<Value>(pool: Pool, work: (session: SqlSession) => Promise<Value>): Promise<Value> {
  const client = await connect(pool);
  let isBroken = false;
  const onError = (): void => {
    isBroken = true;
  };
  // A connection taken from the pool has no listener of its own while it is out.
  client.on('error', onError);
  try {
    await run(client, 'BEGIN');
    const value = await work({ query: (text, params) => run(client, text, params) });
    const commit = await client.query('COMMIT').catch((error: unknown) => {
      isBroken = true;
      throw classifyPostgresError(error);
    });
    if (commit.command !== 'COMMIT') {
      throw new ClyraError(
        'CLY_SOURCE_COMMIT_REFUSED',
        'PostgreSQL rolled the transaction back: a statement in it had failed. Let that failure reject the work.',
        { retry: 'never' },
      );
    }
    return value;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {
      isBroken = true;
    });
    throw error;
  } finally {
    client.off('error', onError);
    client.release(isBroken);
  }
}

async function connect(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw classifyPostgresError(error, 'connect');
  }
}
