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

/** What people change by SQL, through the gateway as well. */
export const ACCOUNTS_TABLE = 'accounts';
const ACCOUNTS = `create table if not exists public.${ACCOUNTS_TABLE} (
  id bigint generated always as identity primary key,
  run text not null,
  name text not null,
  plan text not null,
  balance_cents bigint not null,
  reviewed_at timestamptz
)`;

export const CRM_DDL = `${DDL};\n${ACCOUNTS}`;

export async function createCrmTables(session: SqlSession): Promise<void> {
  await session.query(CRM_DDL);
}
