// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { DBSQLClient } from '@databricks/sql';
import { classifyDatabricksError, lateDatabricks } from './databricks-error.ts';
import {
  type DatabricksConnection,
  type DatabricksTimeouts,
  DEFAULT_DATABRICKS_TIMEOUTS,
} from './databricks-settings.ts';

/** Column names as the server gives them. */
export type DatabricksRow = Readonly<Record<string, unknown>>;

export interface DatabricksClient {
  /** Rejects with CLY_SOURCE_PAGE_LARGE beyond `rowsMax`, and as `classifyDatabricksError` says. */
  query(text: string, rowsMax: number): Promise<readonly DatabricksRow[]>;
  /** Rows as they come, some at a time, until `take` returns false: nothing of them is kept here. */
  scan(text: string, take: (rows: readonly DatabricksRow[]) => boolean): Promise<void>;
  close(): Promise<void>;
}

export type DatabricksClientOptions = {
  readonly connection: DatabricksConnection;
  readonly timeouts?: Partial<DatabricksTimeouts>;
};

type Session = Awaited<ReturnType<DBSQLClient['openSession']>>;
type Opened = { readonly client: DBSQLClient; readonly session: Session };

const CLOSE_DEADLINE_MS = 5_000;
const RETRIES_TIMEOUT_MS = 30_000;
const FETCH_ROWS = 1_000;
/** The driver's own logger writes to the console and catches the process's uncaught exceptions. */
const SILENT = { log: () => undefined };

/** Connects on first use, and anew after any failure: a session in doubt is never used again. */
export function openDatabricksClient(options: DatabricksClientOptions): DatabricksClient {
  return new OneSession(options.connection, { ...DEFAULT_DATABRICKS_TIMEOUTS, ...options.timeouts });
}

class OneSession implements DatabricksClient {
  readonly #connection: DatabricksConnection;
  readonly #timeouts: DatabricksTimeouts;
  #opened: Promise<Opened> | undefined;

  constructor(connection: DatabricksConnection, timeouts: DatabricksTimeouts) {
    this.#connection = connection;
    this.#timeouts = timeouts;
  }

  async query(text: string, rowsMax: number): Promise<readonly DatabricksRow[]> {
    const rows: DatabricksRow[] = [];
    const take = (more: readonly DatabricksRow[]): boolean => {
      rows.push(...more);
      if (rows.length > rowsMax) throw tooMany(rowsMax);
      return true;
    };
    await this.#asked((session) => this.#late(run(session, text, { take, step: (work) => work })));
    return rows;
  }

  /** The deadline of a statement holds for each part of its answer. */
  scan(text: string, take: (rows: readonly DatabricksRow[]) => boolean): Promise<void> {
    return this.#asked((session) => run(session, text, { take, step: (work) => this.#late(work) }));
  }

  async #asked(work: (session: Session) => Promise<void>): Promise<void> {
    this.#opened ??= this.#open();
    try {
      await work((await this.#opened).session);
    } catch (error) {
      const refusal = classifyDatabricksError(error);
      // A statement that was refused leaves the session as it was.
      if (refusal.context['sql_state'] == null) await this.close();
      throw refusal;
    }
  }

  #late<Value>(work: Promise<Value>): Promise<Value> {
    const { statementDeadlineMs } = this.#timeouts;
    return within(work, statementDeadlineMs, () => lateDatabricks('a query', statementDeadlineMs));
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    this.#opened = undefined;
    if (opened === undefined) return;
    const closed = opened.session.close().then(() => opened.client.close());
    // The server may be gone: it then forgets the session by itself.
    await within(closed, CLOSE_DEADLINE_MS, () => undefined).catch(() => undefined);
  }

  async #open(): Promise<Opened> {
    const { connectDeadlineMs } = this.#timeouts;
    return within(this.#connect(), connectDeadlineMs, () => lateDatabricks('the connection', connectDeadlineMs));
  }

  async #connect(): Promise<Opened> {
    const { host, port, path, token, tlsCa } = this.#connection;
    // Loaded when a source needs it: the driver takes more memory than the rest of the recorder.
    const driver = await import('@databricks/sql');
    const client = new driver.DBSQLClient({ logger: SILENT });
    // The driver reports a broken connection here as well; without a listener it would end the process.
    client.on('error', () => undefined);
    await client.connect({
      ...{ host, port, path },
      token: await token(),
      userAgentEntry: 'clyra-recorder',
      telemetryEnabled: false,
      retryMaxAttempts: 2,
      retriesTimeout: RETRIES_TIMEOUT_MS,
      socketTimeout: this.#timeouts.statementDeadlineMs,
      ...(tlsCa === undefined ? {} : { customCaCert: tlsCa }),
    });
    const session = await client.openSession();
    // Timestamps of a table's history come as texts in the session's zone.
    await run(session, "SET TIME ZONE 'UTC'", { take: () => true, step: (work) => work });
    return { client, session };
  }
}

type Reading = {
  readonly take: (rows: readonly DatabricksRow[]) => boolean;
  readonly step: <Value>(work: Promise<Value>) => Promise<Value>;
};

async function run(session: Session, text: string, { take, step }: Reading): Promise<void> {
  const operation = await step(session.executeStatement(text, { maxRows: FETCH_ROWS }));
  try {
    while (take((await step(operation.fetchChunk({ maxRows: FETCH_ROWS }))) as DatabricksRow[])) {
      if (!(await step(operation.hasMoreRows()))) return;
    }
  } finally {
    await operation.close().catch(() => undefined);
  }
}

function tooMany(rowsMax: number): ClyraError {
  return new ClyraError('CLY_SOURCE_PAGE_LARGE', 'the source answered with more rows than it was asked for', {
    retry: 'backoff',
    context: { rows_max: rowsMax },
  });
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
