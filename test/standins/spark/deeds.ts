// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';

export const SCHEMA = 'crm';
export const NAME = 'contacts';
/** Written to all the time, and never made anew. */
export const TABLE = `spark_catalog.${SCHEMA}.${NAME}`;

type Counts = { inserts?: number; updates?: number; deletes?: number; truncates?: number; ddl?: number };

/** One statement on the table, and what is to be told of the versions that it makes. */
export type Deed = {
  readonly sql: string;
  /** A letter: the token of the writer's session at that time. */
  readonly token?: string;
  readonly told: readonly Told[];
};

export type Told = {
  readonly operation: string;
  /** Without them it is maintenance. */
  readonly counts?: Counts;
  /** What the version's file adds to them. */
  readonly logged?: Counts;
};

export const CREATE = `CREATE TABLE ${TABLE} (id BIGINT, name STRING, note STRING) USING DELTA`;

const SOURCE = `SELECT * FROM VALUES (1, 'Ada', 'm', 'update'), (2, 'Bob', 'x', 'delete'), (9, 'Ivy', 'n', 'insert')
  AS s(id, name, note, deed)`;

export const DEEDS: readonly Deed[] = [
  {
    sql: `INSERT INTO ${TABLE} VALUES (1, 'Ada', 'a'), (2, 'Bob', 'b'), (3, 'Cy', 'c')`,
    token: 'a',
    told: [{ operation: 'WRITE', counts: { inserts: 3 } }],
  },
  {
    sql: `UPDATE ${TABLE} SET note = 'z' WHERE id = 1`,
    token: 'b',
    told: [{ operation: 'UPDATE', counts: { updates: 1 } }],
  },
  {
    sql: `MERGE INTO ${TABLE} t USING (${SOURCE}) s ON t.id = s.id
      WHEN MATCHED AND s.deed = 'delete' THEN DELETE
      WHEN MATCHED THEN UPDATE SET note = s.note
      WHEN NOT MATCHED THEN INSERT (id, name, note) VALUES (s.id, s.name, s.note)`,
    token: 'c',
    told: [{ operation: 'MERGE', counts: { inserts: 1, updates: 1, deletes: 1 } }],
  },
  { sql: `DELETE FROM ${TABLE} WHERE id = 3`, told: [{ operation: 'DELETE', counts: { deletes: 1 } }] },
  // Replaces some rows and rewrites their neighbours: told as if it had replaced all, which is more than it did.
  {
    sql: `INSERT INTO ${TABLE} REPLACE WHERE id = 9 VALUES (9, 'Ivy', 'q')`,
    token: 'd',
    told: [{ operation: 'WRITE', counts: { inserts: 2, truncates: 1 } }],
  },
  { sql: `OPTIMIZE ${TABLE}`, told: [{ operation: 'OPTIMIZE' }] },
  { sql: `VACUUM ${TABLE}`, told: [{ operation: 'VACUUM START' }, { operation: 'VACUUM END' }] },
  {
    sql: `ALTER TABLE ${TABLE} SET TBLPROPERTIES ('clyra.note' = 'x')`,
    told: [{ operation: 'SET TBLPROPERTIES', counts: { ddl: 1 } }],
  },
  {
    sql: `ALTER TABLE ${TABLE} ADD COLUMNS (age INT)`,
    token: 'e',
    told: [{ operation: 'ADD COLUMNS', counts: { ddl: 1 } }],
  },
  {
    sql: `INSERT OVERWRITE ${TABLE} VALUES (5, 'Eve', 'e', 3)`,
    told: [{ operation: 'WRITE', counts: { inserts: 1, truncates: 1 } }],
  },
  { sql: `DELETE FROM ${TABLE}`, told: [{ operation: 'DELETE', counts: { deletes: 1 } }] },
  {
    sql: `RESTORE TABLE ${TABLE} TO VERSION AS OF 1`,
    token: 'f',
    told: [{ operation: 'RESTORE', counts: { truncates: 1 } }],
  },
  { sql: `TRUNCATE TABLE ${TABLE}`, told: [{ operation: 'TRUNCATE', counts: { truncates: 1 } }] },
  {
    sql: `CREATE OR REPLACE TABLE ${TABLE} USING DELTA AS SELECT 1L AS id, 'Zoe' AS name, 'z' AS note`,
    told: [
      {
        operation: 'CREATE OR REPLACE TABLE AS SELECT',
        counts: { ddl: 1, inserts: 1 },
        logged: { truncates: 1 },
      },
    ],
  },
  // Back to what was before it was replaced.
  {
    sql: `RESTORE TABLE ${TABLE} TO VERSION AS OF 1`,
    token: '1',
    told: [{ operation: 'RESTORE', counts: { truncates: 1 } }],
  },
];

export function tokenOf(letter: string): string {
  return letter.repeat(32);
}

export function userMetadataOf(letter: string): string {
  return JSON.stringify({ ClyraApprovalToken: tokenOf(letter), RunId: `run-${letter}` });
}

/** What must be told of versions 1 and on, in their order. */
export function expectedOf(isLogged: boolean): readonly object[] {
  return DEEDS.flatMap(({ token, told }) =>
    told.map(({ operation, counts, logged }) => ({
      operation,
      maintenance: counts === undefined,
      relations:
        counts === undefined
          ? []
          : [{ ...{ inserts: 0, updates: 0, deletes: 0, truncates: 0 }, ...counts, ...(isLogged ? logged : {}) }],
      countsUnknown: false,
      tokenHashes: token === undefined ? [] : [digestOf(tokenOf(token))],
      runId: token === undefined ? null : `run-${token}`,
      link: token === undefined ? 'none' : 'user_metadata',
    })),
  );
}
