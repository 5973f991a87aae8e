// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import { openSqlClient, type SqlClient, type SqlSession } from '@clyra/adapter-postgres/sql-client';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { AGENT_TABLE, CRM_TABLES, type CrmTable, createCrmTables } from './crm-tables.ts';

export type CrmOptions = {
  readonly connection: PostgresConnection;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly connectionsMax?: number;
};

export type Crm = { readonly url: string; close(): Promise<void> };

const BODY_BYTES_MAX = 2_097_152;

/**
 * The demonstration upstream: a small CRM over PostgreSQL. All it does for Clyra is to put the execution token of a
 * request into the request's transaction, so that the database's own log says which receipt allowed the commit.
 * It checks nothing: a request without a token is stored as well, and the recorder will name it.
 */
export async function startCrm(options: CrmOptions): Promise<Crm> {
  const sql = openSqlClient({ connection: options.connection, connectionsMax: options.connectionsMax ?? 8 });
  await createCrmTables(sql);
  const server = Fastify({ bodyLimit: BODY_BYTES_MAX, logger: false });
  addRoutes(server, sql);
  const url = await server.listen({ host: options.host, port: options.port });
  return {
    url,
    close: async () => {
      await server.close();
      await sql.close();
    },
  };
}

type EventRequest = FastifyRequest<{ Params: { event: string } }>;
type StatementRequest = FastifyRequest<{ Body: { sql: string } }>;
type AgentRequest = FastifyRequest<{ Params: { order?: string; account?: string } }>;

function addRoutes(server: FastifyInstance, sql: SqlClient): void {
  server.get('/healthz', async () => ({ ok: (await sql.query('select 1')).rowCount === 1 }));
  server.get('/stats', () => countRows(sql));
  server.post('/activations/:event', async (request: EventRequest, reply) => {
    reply.code(201);
    return store(sql, { table: 'activations', subject: request.params.event, request });
  });
  server.post('/refunds', async (request, reply) => {
    reply.code(201);
    return store(sql, { table: 'refunds', subject: 'refund', request });
  });
  server.post('/audiences', async (request, reply) => {
    reply.code(201);
    return store(sql, { table: 'audiences', subject: 'audience', request });
  });
  server.post('/sql', async (request: StatementRequest, reply) => {
    reply.code(201);
    return { rows: await run(sql, request) };
  });
  addAgentRoutes(server, sql);
}

/** What agents do stands in a table of its own, which no demonstration guards. */
function addAgentRoutes(server: FastifyInstance, sql: SqlClient): void {
  server.post('/refunds/:order', async (request: AgentRequest, reply) => {
    reply.code(201);
    return store(sql, { table: AGENT_TABLE, subject: `refund ${request.params.order}`, request });
  });
  server.post('/limits/:account', async (request: AgentRequest, reply) => {
    const isClosed = request.params.account?.startsWith('closed-') === true;
    reply.code(isClosed ? 404 : 201);
    if (isClosed) return { error: 'there is no such account' };
    return store(sql, { table: AGENT_TABLE, subject: `limit ${request.params.account}`, request });
  });
}

type Write = {
  readonly table: CrmTable | typeof AGENT_TABLE;
  readonly subject: string;
  readonly request: FastifyRequest;
};

/** One row; what is stored follows from the request alone, so the time is that of the decision, where there is one. */
function store(sql: SqlClient, { table, subject, request }: Write): Promise<{ id: string }> {
  const values = [header(request, 'clyra-event-id') ?? '', subject, JSON.stringify(request.body)];
  const decidedAt = header(request, 'clyra-decided-at') ?? null;
  return underToken(sql, request, async (session) => {
    const insert = `insert into public.${table} (event_id, subject, content, received_at)
      values ($1, $2, $3, coalesce(to_timestamp($4::double precision / 1000), now())) returning id::text`;
    const { rows } = await session.query<{ id: string }>(insert, [...values, decidedAt]);
    return { id: rows[0]?.id ?? '' };
  });
}

function run(sql: SqlClient, request: StatementRequest): Promise<number> {
  return underToken(sql, request, async (session) => {
    await session.query('set local search_path = public');
    return (await session.query(request.body.sql)).rowCount ?? 0;
  });
}

/** One transaction: the token first, then the work. Both commit, or neither does. */
function underToken<Value>(
  sql: SqlClient,
  request: FastifyRequest,
  work: (session: SqlSession) => Promise<Value>,
): Promise<Value> {
  const token = header(request, 'clyra-execution-token');
  return sql.transaction(async (session) => {
    if (token !== undefined) await session.query("select pg_logical_emit_message(true, 'clyra', $1)", [token]);
    return work(session);
  });
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === 'string' ? value : undefined;
}

async function countRows(sql: SqlClient): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of CRM_TABLES) {
    const { rows } = await sql.query<{ count: string }>(`select count(*)::text as count from public.${table}`);
    counts[table] = Number(rows[0]?.count);
  }
  return counts;
}
