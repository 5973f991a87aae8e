// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { Client } from 'pg';
import {
  DEFAULT_POSTGRES_TIMEOUTS,
  type PostgresConnection,
  type PostgresTimeouts,
  replicationClientConfig,
} from './connection-settings.ts';
import type { LsnText } from './lsn.ts';
import { classifyPostgresError } from './postgres-error.ts';
import { type PublicationFacts, type PublishedOperation, readPublication } from './publication-facts.ts';
import { createPublication, type GuardedRelations, publicationProblems } from './publication-preflight.ts';
import { readPublicationState } from './publication-state.ts';
import { readServer, type ServerFacts, serverProblems } from './server-facts.ts';
import { type SlotFacts, type SystemIdentity, slotFactsOf, slotFactsSql, systemIdentityOf } from './slot-facts.ts';
import { requireNoRefusal, type SourceProblem } from './source-problem.ts';
import { openSqlClient, type SqlClient, type SqlSession } from './sql-client.ts';
import { requireSlotName } from './sql-identifier.ts';
import { readUnrecorded, type UnrecordedRelation } from './unrecorded-relations.ts';

export type SourceRequest = {
  readonly connection: PostgresConnection;
  readonly slot: string;
  readonly publication: string;
  readonly guarded: GuardedRelations;
  /** Lets versions 13 and 14 through with a warning. */
  readonly allowBestEffort?: boolean;
  readonly timeouts?: Partial<PostgresTimeouts>;
};

export type SourceFacts = {
  readonly system: SystemIdentity;
  readonly server: ServerFacts;
  /** As asked for. */
  readonly guarded: GuardedRelations;
  /** null where there is none. */
  readonly publication: PublicationFacts | null;
  readonly slot: SlotFacts | null;
  /** In the guarded and the published schemas, and below guarded tables. */
  readonly unrecorded: readonly UnrecordedRelation[];
  /** Another one after everything that altered how the publication shows what is guarded (`readPublicationState`). */
  readonly publicationState: string;
  /** Refusals first. A missing publication or slot is one of them. */
  readonly problems: readonly SourceProblem[];
};

export type PreparedSource = {
  readonly facts: SourceFacts;
  /** The consistent point of a slot made just now: changes committed after it are observed. null if it was there. */
  readonly consistentPointLsn: LsnText | null;
};

/**
 * Reads everything the recorder depends on and changes nothing. Rejects with the codes of `classifyPostgresError`
 * when the server cannot be asked; what is wrong with it is in `problems` (see `requireUsable`). To be repeated while
 * a stream runs: a table that leaves the publication, by a rebuild or by hand, goes silent without an error.
 */
export async function inspectSource(request: SourceRequest): Promise<SourceFacts> {
  requireSlotName(request.slot);
  const system = await identifySystem(request);
  return withClient(request, (client) => readSource(client, request, system));
}

/** Throws the first refusal (retry: never), its own code and repairing statement included. */
export function requireUsable(facts: SourceFacts): void {
  requireNoRefusal(facts.problems);
}

/**
 * As `inspectSource`, and makes the publication, then the slot, where they are missing and nothing else is refused.
 * A slot is made in a transaction of its own; it waits for transactions under way, at most the statement timeout.
 * Make a slot again only after its gap was recorded. Rejects with the first refusal's code.
 */
export async function prepareSource(
  request: SourceRequest & { readonly operations?: readonly PublishedOperation[] },
): Promise<PreparedSource> {
  requireSlotName(request.slot);
  const system = await identifySystem(request);
  return withClient(request, async (client) => {
    const before = await readSource(client, request, system);
    requireNoRefusal(serverProblems(before.server, request));
    if (before.publication === null) {
      requireNoSlotBeforePublication(before.slot);
      await createPublication(client, {
        name: request.publication,
        guarded: request.guarded,
        serverMajor: before.server.versionMajor,
        ...(request.operations === undefined ? {} : { operations: request.operations }),
      });
    } else {
      requireNoRefusal(publicationProblems(before.publication, request.guarded));
    }
    const consistentPointLsn = before.slot === null ? await createSlot(client, request.slot) : null;
    const facts = await readSource(client, request, system);
    requireUsable(facts);
    return { facts, consistentPointLsn };
  });
}

/** The server decodes each change with the catalogue of its time: log older than the publication cannot be read. */
function requireNoSlotBeforePublication(slot: SlotFacts | null): void {
  if (slot !== null) {
    throw new ClyraError(
      'CLY_SOURCE_SLOT_BEFORE_PUBLICATION',
      'The slot is older than the publication it needs. Record the gap and drop the slot; then both are made in order.',
      { retry: 'never', context: { slot: slot.slot } },
    );
  }
}

/** For a slot that is lost, after its gap was recorded. The server refuses (CLY_SOURCE_SLOT_IN_USE) while it is read. */
export async function dropSlot(request: Pick<SourceRequest, 'connection' | 'slot' | 'timeouts'>): Promise<void> {
  requireSlotName(request.slot);
  await withClient(request, (client) => client.query('select pg_catalog.pg_drop_replication_slot($1)', [request.slot]));
}

/** Opens a replication session, which also proves that the role and pg_hba.conf allow one. */
async function identifySystem(request: SourceRequest): Promise<SystemIdentity> {
  const timeouts = { ...DEFAULT_POSTGRES_TIMEOUTS, ...request.timeouts };
  const client = new Client({
    ...replicationClientConfig(request.connection, timeouts.connectTimeoutMs),
    query_timeout: timeouts.statementTimeoutMs,
  });
  // A connection that breaks between two statements has no query to reject.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const identified = await client.query<Record<string, unknown>>('IDENTIFY_SYSTEM');
    return systemIdentityOf(identified.rows[0]);
  } catch (error) {
    throw classifyPostgresError(error, 'connect');
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function withClient<Value>(
  request: Pick<SourceRequest, 'connection' | 'timeouts'>,
  work: (client: SqlClient) => Promise<Value>,
): Promise<Value> {
  const client = openSqlClient({
    connection: request.connection,
    connectionsMax: 1,
    ...(request.timeouts === undefined ? {} : { timeouts: request.timeouts }),
  });
  try {
    return await work(client);
  } finally {
    await client.close();
  }
}

async function readSource(session: SqlSession, request: SourceRequest, system: SystemIdentity): Promise<SourceFacts> {
  const server = await readServer(session);
  const named = { name: request.publication, serverMajor: server.versionMajor };
  // First: whatever alters the publication after this shows in the next state.
  const publicationState = await readPublicationState(session, { ...named, guarded: request.guarded });
  const publication = await readPublication(session, named);
  const unrecorded = await readUnrecorded(session, {
    isAll: publication?.publishesAllTables ?? false,
    schemas: [...request.guarded.schemas, ...(publication?.publishesSchemas ?? [])],
    tables: request.guarded.tables,
  });
  const slotRow = (await session.query(slotFactsSql(request.slot))).rows[0];
  const slot = slotRow === undefined ? null : slotFactsOf(slotRow);
  const problems = [
    ...serverProblems(server, request),
    ...(publication === undefined
      ? [missing('CLY_SOURCE_PUBLICATION_MISSING', 'Create the publication, before the slot.')]
      : publicationProblems(publication, request.guarded)),
    ...slotProblems(slot, server.database),
  ].sort((left, right) => Number(left.severity === 'warn') - Number(right.severity === 'warn'));
  return {
    system,
    server,
    guarded: request.guarded,
    publication: publication ?? null,
    slot,
    unrecorded,
    publicationState,
    problems,
  };
}

function missing(code: SourceProblem['code'], message: string): SourceProblem {
  return { code, severity: 'refuse', message, repairSql: null };
}

function slotProblems(slot: SlotFacts | null, database: string): readonly SourceProblem[] {
  if (slot === null) {
    return [missing('CLY_SOURCE_SLOT_MISSING', 'Record the gap if the slot was used before, then create the slot.')];
  }
  if (slot.plugin !== 'pgoutput' || slot.database !== database || slot.isTwoPhase) {
    return [
      missing(
        'CLY_SOURCE_SLOT_UNUSABLE',
        'The slot must be of plugin pgoutput, of this database, and without two-phase decoding. Use another slot name.',
      ),
    ];
  }
  if (slot.walStatus === 'lost' || slot.confirmedFlushLsn === null) {
    return [
      missing('CLY_SOURCE_SLOT_LOST', 'Record the gap, drop the slot and create it again: its log is gone for good.'),
    ];
  }
  if (slot.walStatus === 'unreserved') {
    return [
      {
        code: 'CLY_SOURCE_SLOT_AT_RISK',
        severity: 'warn',
        message: 'The server may remove the log this slot needs at its next checkpoint. Let the recorder catch up now.',
        repairSql: null,
      },
    ];
  }
  return [];
}

async function createSlot(client: SqlClient, slot: string): Promise<LsnText> {
  const created = await client.query<{ lsn: string }>(
    `select lsn::text as lsn from pg_catalog.pg_create_logical_replication_slot($1, 'pgoutput')`,
    [slot],
  );
  const lsn = created.rows[0]?.lsn;
  if (lsn === undefined) {
    throw new ClyraError('CLY_SOURCE_SLOT_MISSING', 'The server made no slot. Try again.', { retry: 'backoff' });
  }
  return lsn;
}
