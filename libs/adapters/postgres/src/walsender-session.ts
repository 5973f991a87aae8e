// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Client } from 'pg';
import { LogicalReplicationService } from 'pg-logical-replication';
import { type PostgresConnection, replicationClientConfig } from './connection-settings.ts';
import { readCopyData } from './copy-data.ts';
import { formatLsn } from './lsn.ts';
import { classifyPostgresError, type PostgresActivity, skippedPublication } from './postgres-error.ts';
import { type SlotFacts, type SystemIdentity, slotFactsOf, slotFactsSql, systemIdentityOf } from './slot-facts.ts';
import { quoteIdentifier, quoteLiteral, requireSlotName } from './sql-identifier.ts';

export type WalsenderSource = { readonly system: SystemIdentity; readonly slot: SlotFacts };

export type WalsenderOptions = {
  readonly connection: PostgresConnection;
  readonly slot: string;
  readonly publication: string;
  /** Until replication has started. */
  readonly openTimeoutMs: number;
  /** Runs on the same connection just before replication starts; what it throws refuses the start. */
  readonly admit: (source: WalsenderSource) => void;
  /** The message begins at `from`; the bytes are valid only during the call. */
  readonly onMessage: (chunk: Buffer, from: number) => void;
  readonly onKeepalive: (keepalive: { lsn: bigint; serverTimeMs: number; wantsReply: boolean }) => void;
  /** At most once, never after `close`, and never for a failure that `openWalsender` itself rejects with. */
  readonly onLost: (error: ClyraError) => void;
};

export interface WalsenderSession {
  /** Tells the server that everything before `lsn` is durable; with `asksReply` it answers with a keepalive. */
  sendStatus(lsn: bigint, asksReply: boolean): void;
  pause(): void;
  resume(): void;
  /** Sends the status one last time and ends the session so that the slot is free when this resolves. */
  close(lsn: bigint): Promise<void>;
}

/** `pg` keeps its connection undocumented; the transport uses the same members. */
type ConnectionInternals = {
  readonly stream: { pause(): unknown; resume(): unknown; destroy(): unknown };
  endCopyFrom(): void;
  removeAllListeners(event: 'copyData'): ConnectionInternals;
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): ConnectionInternals;
};

const COPY_END_TIMEOUT_MS = 1_500;
const MAJOR_WITH_MESSAGES = 14;
const DISCONNECT_TIMEOUT_MS = 2_000;
/** The transport's own acknowledging is off: it would confirm what was received, not what is durable. */
const TRANSPORT_OPTIONS = {
  acknowledge: { auto: false, timeoutSeconds: 0 },
  flowControl: { enabled: false },
};

/**
 * Starts logical replication from the slot's confirmed position on a fresh connection. A transport is never used
 * twice: the second subscription would begin at what the first received.
 *
 * Rejects with the codes of `classifyPostgresError`, CLY_SOURCE_SLOT_UNUSABLE for a slot of another plugin or
 * database, or what `admit` throws.
 */
export async function openWalsender(options: WalsenderOptions): Promise<WalsenderSession> {
  requireSlotName(options.slot);
  const session = new TransportSession(options);
  await session.start();
  return session;
}

class TransportSession implements WalsenderSession {
  readonly #options: WalsenderOptions;
  readonly #transport: LogicalReplicationService;
  #client: Client | undefined;
  #activity: PostgresActivity = 'connect';
  #state: 'opening' | 'streaming' | 'ended' = 'opening';
  #ended: Promise<never> | undefined;
  #disconnected: Promise<void> | undefined;

  constructor(options: WalsenderOptions) {
    this.#options = options;
    const config = replicationClientConfig(options.connection, options.openTimeoutMs);
    this.#transport = new LogicalReplicationService(config, TRANSPORT_OPTIONS);
  }

  async start(): Promise<void> {
    const started = new Promise<void>((resolve) => {
      this.#listen(resolve);
    });
    this.#ended = this.#subscribe();
    this.#ended.catch((error: unknown) => this.#lose(error));
    try {
      await withDeadline(Promise.race([started, this.#ended]), this.#options.openTimeoutMs);
    } catch (error) {
      this.#state = 'ended';
      await this.#disconnect();
      throw classifyPostgresError(error, this.#activity);
    }
  }

  sendStatus(lsn: bigint, asksReply: boolean): void {
    if (this.#state === 'streaming') {
      void this.#transport.acknowledge(wireLsn(lsn), asksReply);
    }
  }

  pause(): void {
    this.#internals()?.stream.pause();
  }

  resume(): void {
    this.#internals()?.stream.resume();
  }

  async close(lsn: bigint): Promise<void> {
    if (this.#state === 'streaming' && this.#ended !== undefined) {
      this.sendStatus(lsn, false);
      this.#state = 'ended';
      this.#internals()?.endCopyFrom();
      this.resume();
      await withDeadline(this.#ended, COPY_END_TIMEOUT_MS).catch(() => undefined);
    }
    await this.#disconnect();
  }

  #listen(onStarted: () => void): void {
    this.#transport.on('start', () => {
      this.#activity = 'stream';
      this.#state = 'streaming';
      onStarted();
    });
    this.#transport.on('error', (error: unknown) => this.#lose(error));
  }

  /**
   * In place of the transport's own reader, which makes two texts, two events and a promise of each message: one
   * tenth of what a recorder does that catches up.
   */
  #readDirectly(): void {
    const { onMessage, onKeepalive } = this.#options;
    const receive = (chunk: Buffer): void => {
      const copied = readCopyData(chunk);
      if (copied.kind === 'message') onMessage(chunk, copied.from);
      else onKeepalive(copied);
    };
    this.#internals()
      ?.removeAllListeners('copyData')
      .on('copyData', ({ chunk }) => this.#guard(() => receive(chunk)));
  }

  /** Settles only by rejecting: a stream that ends in good order is lost as well. */
  async #subscribe(): Promise<never> {
    const plugin = {
      options: {},
      name: 'pgoutput',
      parse: (bytes: Buffer): Buffer => bytes,
      start: async (client: Client): Promise<unknown> => {
        this.#client = client;
        this.#readDirectly();
        client.on('notice', (notice) => {
          const missing = skippedPublication(notice);
          if (missing !== undefined) this.#lose(missing);
        });
        const versionMajor = await admitSource(client, this.#options);
        this.#activity = 'start_replication';
        return client.query(startReplicationSql(this.#options, versionMajor));
      },
    };
    await this.#transport.subscribe(plugin, this.#options.slot, '0/0');
    throw new ClyraError('CLY_SOURCE_UNREACHABLE', 'The server ended the replication stream. Open a new connection.', {
      retry: 'backoff',
    });
  }

  /** Runs inside a socket callback, where a failure of the data must end the stream and not the process. */
  #guard(handle: () => void): void {
    if (this.#state !== 'streaming') {
      return;
    }
    try {
      handle();
    } catch (error) {
      if (!(error instanceof ClyraError)) {
        throw error;
      }
      this.#lose(error);
    }
  }

  #lose(error: unknown): void {
    if (this.#state === 'streaming') {
      this.#state = 'ended';
      void this.#disconnect();
      this.#options.onLost(classifyPostgresError(error, this.#activity));
    }
  }

  #disconnect(): Promise<void> {
    const internals = this.#internals();
    this.#disconnected ??= withDeadline(
      this.#transport.stop().then(() => undefined),
      DISCONNECT_TIMEOUT_MS,
    ).catch(() => {
      internals?.stream.destroy();
    });
    return this.#disconnected;
  }

  #internals(): ConnectionInternals | undefined {
    if (this.#client === undefined) {
      return undefined;
    }
    const internals: unknown = Reflect.get(this.#client, 'connection');
    return internals as ConnectionInternals;
  }
}

/**
 * The transport adds one to what it sends, but the end of a commit is already the byte after it. With the extra one
 * a server restarted from the slot would skip a transaction whose commit record begins exactly there.
 */
function wireLsn(lsn: bigint): string {
  return formatLsn(lsn - 1n);
}

/** Facts and refusals from the very session that will stream, so that nothing can change in between. The server's major version. */
async function admitSource(client: Client, options: WalsenderOptions): Promise<number> {
  const identified = await client.query<Record<string, unknown>>('IDENTIFY_SYSTEM');
  // A warning tells of a missing publication: no setting of the role may hide it.
  const version = await client.query<{ major: number }>(
    `select current_setting('server_version_num')::int / 10000 as major,
       set_config('client_min_messages', 'warning', false)`,
  );
  const slots = await client.query<Record<string, unknown>>(slotFactsSql(options.slot));
  const slotRow = slots.rows[0];
  if (slotRow === undefined) {
    throw new ClyraError(
      'CLY_SOURCE_SLOT_MISSING',
      'The replication slot does not exist. Record the gap, then create the slot again.',
      { retry: 'never', context: { slot: options.slot } },
    );
  }
  const slot = slotFactsOf(slotRow);
  if (slot.plugin !== 'pgoutput' || slot.database !== options.connection.database || slot.isTwoPhase) {
    throw new ClyraError(
      'CLY_SOURCE_SLOT_UNUSABLE',
      'The slot must be of plugin pgoutput, of this database, and without two-phase decoding. Use another slot name.',
      { retry: 'never', context: { slot: options.slot, plugin: slot.plugin, database: slot.database } },
    );
  }
  const publications = await client.query(
    `select 1 from pg_catalog.pg_publication where pubname = ${quoteLiteral(options.publication)}`,
  );
  if (publications.rowCount === 0) {
    throw new ClyraError(
      'CLY_SOURCE_PUBLICATION_MISSING',
      'The publication does not exist. Create it, then create the slot again: older log cannot be read with it.',
      { retry: 'never', context: { publication: options.publication } },
    );
  }
  options.admit({ system: systemIdentityOf(identified.rows[0]), slot });
  return Number(version.rows[0]?.major);
}

/** 13 refuses the option `messages`: there no observation can name a token, which its preflight warns of. */
function startReplicationSql(options: { slot: string; publication: string }, versionMajor: number): string {
  const messages = versionMajor < MAJOR_WITH_MESSAGES ? '' : `, messages 'true'`;
  const publicationNames = quoteLiteral(quoteIdentifier(options.publication));
  return (
    `START_REPLICATION SLOT ${quoteIdentifier(options.slot)} LOGICAL 0/0 ` +
    `(proto_version '1', publication_names ${publicationNames}${messages})`
  );
}

function withDeadline<Value>(pending: Promise<Value>, timeoutMs: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new ClyraError('CLY_SOURCE_UNREACHABLE', 'PostgreSQL did not answer in time. Try again later.', {
          retry: 'backoff',
          context: { timeoutMs },
        }),
      );
    }, timeoutMs);
  });
  return Promise.race([pending, late]).finally(() => clearTimeout(timer));
}
