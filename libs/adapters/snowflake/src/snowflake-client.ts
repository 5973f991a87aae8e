// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Bind, Connection, ConnectionOptions, RowStatement } from 'snowflake-sdk';
import { loadDriver } from './driver-config.ts';
import { classifySnowflakeError, lateSnowflake } from './snowflake-error.ts';
import {
  addressOf,
  DEFAULT_SNOWFLAKE_TIMEOUTS,
  type SnowflakeConnection,
  type SnowflakeTimeouts,
} from './snowflake-settings.ts';

/** Column names are upper-case, as Snowflake gives them for unquoted names. */
export type SnowflakeRow = Readonly<Record<string, unknown>>;

export interface SnowflakeClient {
  /** Rejects with CLY_SOURCE_PAGE_LARGE beyond `rowsMax`, and as `classifySnowflakeError` says. */
  query(text: string, binds: readonly Bind[], rowsMax: number): Promise<readonly SnowflakeRow[]>;
  close(): Promise<void>;
}

export type SnowflakeClientOptions = {
  readonly connection: SnowflakeConnection;
  readonly timeouts?: Partial<SnowflakeTimeouts>;
};

const CLOSE_DEADLINE_MS = 5_000;

/** Logs in on first use, and anew after any failure: a session in doubt is never used again. */
export function openSnowflakeClient(options: SnowflakeClientOptions): SnowflakeClient {
  return new OneSession(options.connection, { ...DEFAULT_SNOWFLAKE_TIMEOUTS, ...options.timeouts });
}

class OneSession implements SnowflakeClient {
  readonly #connection: SnowflakeConnection;
  readonly #timeouts: SnowflakeTimeouts;
  #session: Promise<Connection> | undefined;

  constructor(connection: SnowflakeConnection, timeouts: SnowflakeTimeouts) {
    this.#connection = connection;
    this.#timeouts = timeouts;
  }

  async query(text: string, binds: readonly Bind[], rowsMax: number): Promise<readonly SnowflakeRow[]> {
    this.#session ??= this.#login();
    try {
      const rows = await this.#execute(await this.#session, { text, binds });
      if (rows.length <= rowsMax) return rows;
      throw new ClyraError('CLY_SOURCE_PAGE_LARGE', 'the source answered with more rows than it was asked for', {
        retry: 'backoff',
        context: { rows_max: rowsMax },
      });
    } catch (error) {
      await this.close();
      throw classifySnowflakeError(error);
    }
  }

  async close(): Promise<void> {
    const session = await this.#session?.catch(() => undefined);
    this.#session = undefined;
    if (session === undefined) return;
    const destroyed = new Promise<void>((resolve) => session.destroy(() => resolve()));
    // The server may be gone: it then forgets the session by itself.
    await within(destroyed, CLOSE_DEADLINE_MS, () => undefined).catch(() => undefined);
  }

  async #login(): Promise<Connection> {
    const { loginDeadlineMs } = this.#timeouts;
    const driver = await loadDriver();
    const session = driver.createConnection(await this.#options());
    const connected = new Promise<Connection>((resolve, reject) => {
      session.connect((error, made) => (error === undefined || error === null ? resolve(made) : reject(error)));
    });
    return within(connected, loginDeadlineMs, () => lateSnowflake('the login', loginDeadlineMs));
  }

  async #options(): Promise<ConnectionOptions> {
    const { account, user, secret, role, warehouse } = this.#connection;
    const text = await secret.read();
    return {
      account,
      accessUrl: addressOf(this.#connection),
      username: user,
      ...(secret.kind === 'password' ? { password: text } : { authenticator: 'SNOWFLAKE_JWT', privateKey: text }),
      database: 'SNOWFLAKE',
      schema: 'ACCOUNT_USAGE',
      ...(role === undefined ? {} : { role }),
      ...(warehouse === undefined ? {} : { warehouse }),
      application: 'clyra_recorder',
      sfRetryMaxLoginRetries: 1,
      timeout: this.#timeouts.statementDeadlineMs,
    };
  }

  #execute(
    session: Connection,
    { text, binds }: { readonly text: string; readonly binds: readonly Bind[] },
  ): Promise<readonly SnowflakeRow[]> {
    const { statementDeadlineMs } = this.#timeouts;
    let statement: RowStatement | undefined;
    const done = new Promise<readonly SnowflakeRow[]>((resolve, reject) => {
      statement = session.execute({
        sqlText: text,
        binds: [...binds],
        complete: (error, _statement, rows) => (error ? reject(error) : resolve((rows ?? []) as SnowflakeRow[])),
      });
    });
    return within(done, statementDeadlineMs, () => {
      // Asked, not awaited: the session is closed anyway.
      statement?.cancel(() => undefined);
      return lateSnowflake('a query', statementDeadlineMs);
    });
  }
}

async function within<Value>(work: Promise<Value>, deadlineMs: number, onLate: () => unknown): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(onLate()), deadlineMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}
