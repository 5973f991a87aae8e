// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import { readPublicationState } from '@clyra/adapter-postgres/publication-state';
import { openReplication, type ReplicationStream } from '@clyra/adapter-postgres/replication-stream';
import {
  dropSlot,
  inspectSource,
  prepareSource,
  type SourceFacts,
  type SourceRequest,
} from '@clyra/adapter-postgres/source-preflight';
import { openSqlClient, type SqlClient } from '@clyra/adapter-postgres/sql-client';
import { ClyraError } from '@clyra/core/kernel/error';
import { BODY_LIMITS } from '../observation/transaction-body.ts';
import type { SourceMark, SourcePort, StreamEvents } from './source-port.ts';

/** Often enough that an idle source answers with its position in time for each watermark. */
const STATUS_INTERVAL_MS = 500;
const MARK_TIMEOUTS = { connectTimeoutMs: 5_000, statementTimeoutMs: 5_000 };

const CLOCK_SQL = `select pg_catalog.floor(extract(epoch from pg_catalog.clock_timestamp()) * 1000)::bigint::text as "atMs"`;
const POSITION_SQL = `select pg_catalog.pg_current_wal_flush_lsn()::text as lsn,
    ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_flush_lsn()), 1, 8))::bit(32)::int
      as timeline,
    (select system_identifier::text from pg_catalog.pg_control_system()) as "systemId",
    (select setting::int from pg_catalog.pg_settings where name = 'wal_writer_delay') as "walWriterDelayMs"`;

/** PostgreSQL's manual, "Asynchronous Commit": such a commit is flushed after at most three times wal_writer_delay. */
const FLUSH_DELAYS = 3;

type PositionRow = {
  readonly lsn: string;
  readonly timeline: number;
  readonly systemId: string;
  readonly walWriterDelayMs: number;
};

export class PostgresSource implements SourcePort {
  readonly #request: SourceRequest;
  #client: SqlClient | undefined;
  /** Learnt by whoever inspects the source, which comes before every mark. */
  #serverMajor = 0;

  constructor(request: SourceRequest) {
    this.#request = request;
  }

  async inspect(): Promise<SourceFacts> {
    return this.#learn(await inspectSource(this.#request));
  }

  async prepare(): Promise<SourceFacts> {
    return this.#learn((await prepareSource(this.#request)).facts);
  }

  dropSlot(): Promise<void> {
    return dropSlot(this.#request);
  }

  open(events: StreamEvents & { readonly digestKey: KeyObject }): Promise<ReplicationStream> {
    const { connection, slot, publication } = this.#request;
    return openReplication({
      ...events,
      connection,
      slot,
      publication,
      limits: BODY_LIMITS,
      tuning: { statusIntervalMs: STATUS_INTERVAL_MS },
    });
  }

  /**
   * First the clock (T), then the flush position (F): in this order. A commit is seen by others only after its record
   * is flushed, or, with synchronous_commit off, at most D = 3 × wal_writer_delay before that. So whatever was seen
   * committed before T − D was flushed before F was read, and ends at or before F. D also leaves room for a
   * transaction that has taken its commit time and not yet written its record, which is a matter of microseconds.
   * `covers_until` is therefore T − D, and true as soon as the stream has passed F: commits are streamed in the order
   * of their records, so none that ends at or before F can still come.
   */
  async mark(): Promise<SourceMark> {
    const client = this.#open();
    const clock = (await client.query<{ atMs: string }>(CLOCK_SQL)).rows[0];
    const position = (await client.query<PositionRow>(POSITION_SQL)).rows[0];
    if (clock === undefined || position === undefined) {
      throw new ClyraError('CLY_SOURCE_IDENTITY_UNKNOWN', 'The server does not say where it is. Try again.', {
        retry: 'backoff',
      });
    }
    const { lsn, timeline, systemId, walWriterDelayMs } = position;
    const coversUntilMs = Number(clock.atMs) - FLUSH_DELAYS * walWriterDelayMs;
    const { publication: name, guarded } = this.#request;
    const publicationState = await readPublicationState(client, { name, guarded, serverMajor: this.#serverMajor });
    return { coversUntilMs, lsn, timeline, systemId, publicationState };
  }

  async close(): Promise<void> {
    await this.#client?.close();
    this.#client = undefined;
  }

  #learn(facts: SourceFacts): SourceFacts {
    this.#serverMajor = facts.server.versionMajor;
    return facts;
  }

  #open(): SqlClient {
    this.#client ??= openSqlClient({
      connection: this.#request.connection,
      connectionsMax: 1,
      timeouts: MARK_TIMEOUTS,
    });
    return this.#client;
  }
}
