// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { SeededRandom } from '@clyra/testing/seeded-random';
import type { Deliveries, Row } from './snowflake-server.ts';

export const GUARDED = 'CRM.PUBLIC.CONTACTS';
const OTHER = 'CRM.PUBLIC.NOTES';
const MINUTE = 60_000;

/** One statement that really ran. The stand-in never sees this: it is shown rows, at times of their own. */
export type TrueStatement = {
  readonly id: string;
  readonly type: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly table: string;
  readonly counts: readonly [number, number, number];
  readonly status: 'SUCCESS' | 'FAIL';
  readonly token: string | null;
  readonly link: 'query_tag' | 'redemption' | 'none';
};

/** How the account shows it. */
export type Fate = {
  /** After its end; null: never. */
  readonly queryDelayMs: number | null;
  readonly accessDelayMs: number | null;
  readonly isDoubled: boolean;
};

export type Lags = { readonly queryLagMs: number; readonly accessLagMs: number };

/** Statements whose effect the recorder must tell. */
export function isTold({ status, type, counts }: TrueStatement): boolean {
  return status === 'SUCCESS' && type !== 'SELECT' && (type === 'TRUNCATE_TABLE' || counts.some((count) => count > 0));
}

export function drawStatement(random: SeededRandom, serial: number, endMs: number): TrueStatement {
  const type = random.pick(['INSERT', 'UPDATE', 'DELETE', 'MERGE', 'TRUNCATE_TABLE', 'SELECT', 'COPY']);
  const count = (of: readonly string[]): number => (of.includes(type) ? random.nextInt(0, 9) : 0);
  const link = random.pick(['query_tag', 'redemption', 'none'] as const);
  return {
    id: `01b${serial.toString(16).padStart(5, '0')}-0000-${random.nextInt(4096, 65_535).toString(16)}-0000-000000000000`,
    type,
    // A statement may have begun long before it ended.
    startMs: endMs - random.nextInt(1, random.chance(0.1) ? 90 * MINUTE : 2_000),
    endMs,
    table: random.pick([GUARDED, OTHER]),
    counts: [count(['INSERT', 'MERGE', 'COPY']), count(['UPDATE', 'MERGE']), count(['DELETE', 'MERGE'])],
    status: random.chance(0.1) ? 'FAIL' : 'SUCCESS',
    token: link === 'none' ? null : digestOf(`token ${serial}`).slice(0, 32),
    link,
  };
}

/** Most rows come in time, in no order; some twice. Late and missing ones are asked for by share. */
export function drawFate(
  random: SeededRandom,
  lags: Lags,
  share: { readonly late: number; readonly missing: number },
): Fate {
  const isMissing = random.chance(share.missing);
  const isLate = !isMissing && random.chance(share.late);
  const queryDelayMs = isLate ? lags.queryLagMs + random.nextInt(20, 30) * MINUTE : random.nextInt(0, lags.queryLagMs);
  return {
    queryDelayMs: isMissing ? null : queryDelayMs,
    accessDelayMs: random.chance(0.1) ? null : random.nextInt(0, lags.accessLagMs),
    isDoubled: random.chance(0.15),
  };
}

export function deliveriesOf(pairs: readonly (readonly [TrueStatement, Fate])[]): Required<Deliveries> {
  const statements: Row[] = [];
  const accesses: Row[] = [];
  const redemptions: Row[] = [];
  for (const [statement, fate] of pairs) {
    if (fate.queryDelayMs !== null) {
      const row = queryRow(statement, statement.endMs + fate.queryDelayMs);
      statements.push(row, ...(fate.isDoubled ? [{ ...row, visible_at: row.visible_at + MINUTE }] : []));
    }
    if (fate.accessDelayMs !== null && isTold(statement)) {
      accesses.push(accessRow(statement, statement.endMs + fate.accessDelayMs));
    }
    if (statement.link === 'redemption' && statement.status === 'SUCCESS') redemptions.push(redemptionRow(statement));
  }
  return { statements, accesses, redemptions };
}

function queryRow(statement: TrueStatement, visibleAt: number): Row {
  const [inserted, updated, deleted] = statement.counts;
  const tag = JSON.stringify({ ClyraApprovalToken: statement.token, RunId: 'run-7', ActorId: 'sync-bot' });
  return {
    query_id: statement.id,
    query_text: textOf(statement),
    database_name: 'CRM',
    schema_name: 'PUBLIC',
    query_type: statement.type,
    session_id: 7,
    user_name: 'LOADER',
    role_name: 'LOADER',
    query_tag: statement.link === 'query_tag' ? tag : 'nightly',
    execution_status: statement.status,
    start_time: statement.startMs,
    end_time: statement.endMs,
    transaction_id: statement.endMs,
    rows_inserted: inserted,
    rows_updated: updated,
    rows_deleted: deleted,
    visible_at: visibleAt,
  };
}

function textOf({ type, table }: TrueStatement): string {
  const name = table.split('.').at(-1);
  const leads: Readonly<Record<string, string>> = {
    INSERT: `insert into ${name} select * from staged`,
    UPDATE: `update ${table} set seen = true`,
    DELETE: `/* weekly */ delete from public.${name} where seen`,
    MERGE: `merge into ${name} using staged s on s.id = ${name}.id when matched then delete`,
    TRUNCATE_TABLE: `truncate table if exists ${table}`,
    COPY: `copy into ${table} from @stage`,
  };
  return leads[type] ?? 'select 1';
}

function accessRow(statement: TrueStatement, visibleAt: number): Row {
  return {
    query_id: statement.id,
    query_start_time: statement.startMs,
    user_name: 'LOADER',
    objects_modified: [{ objectDomain: 'Table', objectId: 1, objectName: statement.table, columns: [] }],
    visible_at: visibleAt,
  };
}

function redemptionRow(statement: TrueStatement): Row {
  return {
    redemption_id: `r-${statement.id}`,
    token_hash: digestOf(statement.token ?? ''),
    query_id: statement.id,
    redeemed_at: statement.endMs,
    visible_at: statement.endMs,
  };
}
