// SPDX-License-Identifier: Apache-2.0
import type { SqlSession } from '@clyra/adapter-postgres/sql-client';

export const CRM_TABLES = ['activations', 'refunds', 'audiences'] as const;
export const AGENT_TABLE = 'agent_actions';
export type CrmTable = (typeof CRM_TABLES)[number];

/** Primary keys, so that a publication of updates never breaks a write (replica identity). */
const DDL = [...CRM_TABLES, AGENT_TABLE]
  .map(
    (table) => `create table if not exists public.${table} (
  id bigint generated always as identity primary key,
  event_id text not null,
  subject text not null,
  content jsonb not null,
  received_at timestamptz not null default now()
)`,
  )
  .join(';\n');

export async function createCrmTables(session: SqlSession): Promise<void> {
  await session.query(DDL);
}
