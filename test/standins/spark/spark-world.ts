// SPDX-License-Identifier: Apache-2.0
import { type DatabricksClient, openDatabricksClient } from '@clyra/adapter-databricks/databricks-client';
import type { DatabricksConnection } from '@clyra/adapter-databricks/databricks-settings';
import { DBSQLClient } from '@databricks/sql';
import { type Certificate, selfSigned } from '../databricks/self-signed.ts';
import { AnswerBook } from './answer-book.ts';
import { SparkServer } from './spark-server.ts';
import { TlsShim } from './tls-shim.ts';

const TOKEN = 'dapi-stand-in';
/** A first MERGE took 46 s on a machine with much else to do. */
export const TIMEOUTS = { connectDeadlineMs: 120_000, statementDeadlineMs: 240_000 };
export const USER_METADATA = 'spark.databricks.delta.commitInfo.userMetadata';

type Session = Awaited<ReturnType<DBSQLClient['openSession']>>;

/** Spark behind the shim, and what was said between it and every driver. */
export class SparkWorld {
  readonly spark: SparkServer;
  readonly book: AnswerBook;
  readonly #shim: TlsShim;
  readonly #certificate: Certificate;
  readonly #clients: { close(): Promise<void> }[] = [];

  private constructor(parts: { spark: SparkServer; book: AnswerBook; shim: TlsShim; certificate: Certificate }) {
    this.spark = parts.spark;
    this.book = parts.book;
    this.#shim = parts.shim;
    this.#certificate = parts.certificate;
  }

  static async start(): Promise<SparkWorld> {
    const certificate = await selfSigned();
    const book = new AnswerBook();
    const spark = await SparkServer.start();
    try {
      const options = { certificate, token: TOKEN, sparkPort: spark.port, onExchange: book.note };
      return new SparkWorld({ spark, book, shim: await TlsShim.open(options), certificate });
    } catch (error) {
      await spark.stop();
      throw error;
    }
  }

  connection(token = TOKEN): DatabricksConnection {
    return {
      ...{ host: '127.0.0.1', port: this.#shim.port, path: '/sql/1.0/warehouses/stand-in' },
      ...{ token: async () => token, tlsCa: this.#certificate.cert },
    };
  }

  /** As the recorder reads. */
  reader(token?: string): DatabricksClient {
    const client = openDatabricksClient({ connection: this.connection(token), timeouts: TIMEOUTS });
    this.#clients.push(client);
    return client;
  }

  /** As a customer's job writes: the driver itself, with the configuration of its session. */
  async writer(configuration: Readonly<Record<string, string>>): Promise<(sql: string) => Promise<void>> {
    const client = new DBSQLClient({ logger: { log: () => undefined } });
    client.on('error', () => undefined);
    this.#clients.push(client);
    const { host, port, path } = this.connection();
    const customCaCert = this.#certificate.cert;
    await client.connect({ host, port, path, token: TOKEN, telemetryEnabled: false, customCaCert });
    const session = await client.openSession({ configuration: { ...configuration } });
    return (sql) => done(session, sql);
  }

  async close(): Promise<void> {
    for (const client of this.#clients) await client.close().catch(() => undefined);
    await this.#shim.close();
    await this.spark.stop();
  }
}

async function done(session: Session, sql: string): Promise<void> {
  const operation = await session.executeStatement(sql);
  try {
    await operation.fetchAll();
  } finally {
    await operation.close();
  }
}
