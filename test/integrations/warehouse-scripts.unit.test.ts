// SPDX-License-Identifier: Apache-2.0
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import { digestOf } from '@clyra/core/canonical/digest';
import { type Grant, mintGrant } from '@clyra/core/grant/grant';
import type { SqlParsers } from '@clyra/core/sql/analyse-sql';
import { readSessionTag } from '@clyra/recorder/warehouse/session-tag';
import { beforeAll, describe, expect, it } from '@jest/globals';

const INTEGRATIONS = join(import.meta.dirname, '..', '..', 'integrations');
const read = (path: string): string => readFileSync(join(INTEGRATIONS, path), 'utf8');

/** Forms that the parser at hand does not know; nothing else may be among what it refuses. */
const UNKNOWN_FORMS =
  /^(?:CREATE SCHEMA \S.* WITH MANAGED ACCESS|CREATE OR REPLACE (?:FUNCTION|PROCEDURE) |CREATE WAREHOUSE |GRANT USE (?:CATALOG|SCHEMA) ON )/;

/** Splits at the semicolons that end lines, but for those between dollar signs. */
function statementsOf(text: string): string[] {
  const bare = text.replaceAll(/^--.*$/gm, '');
  const parts: string[] = [];
  let open = '';
  for (const part of bare.split(/;[ \t]*$/m)) {
    open = open === '' ? part : `${open};\n${part}`;
    if ((open.split('$$').length - 1) % 2 !== 0) continue;
    parts.push(open.trim());
    open = '';
  }
  return parts.filter((part) => part !== '');
}

/** The text between dollar signs behind a name. */
function bodyOf(text: string, name: string): string {
  const body = text.slice(text.indexOf(name)).split('$$')[1];
  if (body === undefined) throw new Error(`${name} has no body`);
  return body;
}

describe('the scripts for warehouses', () => {
  let parsers: SqlParsers;
  beforeAll(async () => {
    parsers = await loadSqlParsers();
  });

  it.each([
    ['snowflake/sql/guard.sql', 'snowflake', 12],
    ['snowflake/sql/helpers.sql', 'snowflake', 0],
    ['snowflake/sql/recorder-role.sql', 'snowflake', 8],
    ['snowflake/sql/guard-table.sql', 'snowflake', 7],
    ['databricks/sql/recorder-principal.sql', 'databricks', 2],
  ] as const)('%s is SQL of %s', (path, dialect, parsedMin) => {
    const statements = statementsOf(read(path));
    const refused = statements.filter((statement) => parsers.rs(statement, dialect) === undefined);
    expect(refused.filter((statement) => !UNKNOWN_FORMS.test(statement))).toEqual([]);
    expect(statements.length - refused.length).toBeGreaterThanOrEqual(parsedMin);
  });

  it('have in the redeeming procedure statements that are SQL one by one', () => {
    const body = bodyOf(read('snowflake/sql/guard.sql'), 'PROCEDURE CLYRA.GUARD.REDEEM_AND_RUN');
    const statements = body
      .split(';')
      .map((text) => text.trim())
      .filter((text) => /^(?:SELECT|UPDATE|INSERT)\b/.test(text))
      .map((text) => text.replace(/\bINTO :\w+/, '').replaceAll(/(?<![:\w]):(?=[A-Za-z_])/g, ''));
    expect(statements).toHaveLength(5);
    expect(statements.filter((text) => parsers.rs(text, 'snowflake') === undefined)).toEqual([]);
  });
});

describe('the guard on Snowflake', () => {
  const KEY = Buffer.alloc(32, 5);
  const STATEMENT = 'insert into CRM.PUBLIC.CONTACTS select * from staged';
  const NOW_MS = 1_750_000_000_000;
  const GRANT: Grant = {
    ...{ v: 0, token: 'a'.repeat(32), tenant: 'acme', event_id: '00000000-0000-7000-8000-000000000001' },
    ...{ source_id: 'snow', database: 'CRM', role: null, member: digestOf(STATEMENT) },
    ...{ relations: ['CRM.PUBLIC.CONTACTS'], operations: ['insert'], rows_max: 5 },
    ...{ not_before: NOW_MS, expires_at: NOW_MS + 60_000 },
  };

  /** The function's own text, run by this machine's Python. */
  function readGrant(text: string, call: { readonly statement?: string; readonly nowMs?: number } = {}): unknown {
    const body = bodyOf(read('snowflake/sql/guard.sql'), 'FUNCTION CLYRA.GUARD.READ_GRANT');
    const { statement = STATEMENT, nowMs = NOW_MS } = call;
    const given = JSON.stringify([text, KEY.toString('hex'), statement, nowMs]);
    const program = `${body}\nimport sys\nprint(json.dumps(read_grant(*json.loads(sys.argv[1]))))`;
    return JSON.parse(execFileSync('python3', ['-c', program, given], { encoding: 'utf8' }));
  }

  it('takes a grant that intake minted, for the very statement', () => {
    expect(readGrant(mintGrant(GRANT, KEY))).toEqual({
      source_id: 'snow',
      database: 'CRM',
      rows_max: 5,
      token_hash: digestOf('a'.repeat(32)),
    });
  });

  it.each([
    ['another statement', {}, { statement: `${STATEMENT} ` }, 'it is not for this statement'],
    ['no member', { member: null }, {}, 'it is not for this statement'],
    ['a role', { role: 'LOADER' }, {}, "it is for one role, which an owner's procedure cannot check"],
    ['a time that is over', {}, { nowMs: NOW_MS + 60_001 }, 'it is not valid now'],
    ['a time to come', {}, { nowMs: NOW_MS - 5_001 }, 'it is not valid now'],
  ] as const)('refuses a grant for %s', (_what, members, call, why) => {
    expect(readGrant(mintGrant({ ...GRANT, ...members }, KEY), call)).toEqual({ refused: why });
  });

  it('refuses what was altered, made under another key, or is no grant, and statements that end a transaction', () => {
    const text = mintGrant(GRANT, KEY);
    const altered = `${text.slice(0, 12)}${text[12] === 'A' ? 'B' : 'A'}${text.slice(13)}`;
    for (const wrong of [altered, mintGrant(GRANT, Buffer.alloc(32, 6)), 'x', '', `${text}0`]) {
      expect(readGrant(wrong)).toHaveProperty('refused');
    }
    const ddl = 'drop table CRM.PUBLIC.CONTACTS';
    const allowed = mintGrant({ ...GRANT, member: digestOf(ddl) }, KEY);
    expect(readGrant(allowed, { statement: ddl })).toHaveProperty('refused', expect.stringContaining('only INSERT'));
  });
});

describe('the helpers on Snowflake', () => {
  /** The function's own text, run by this machine's Python. */
  function run(sqlName: string, name: string, given: readonly unknown[]): string {
    const body = bodyOf(read('snowflake/sql/helpers.sql'), `FUNCTION CLYRA.GUARD.${sqlName}`);
    const program = `${body}\nimport json, sys\nprint(${name}(*json.loads(sys.argv[1])))`;
    const options = { encoding: 'utf8', stdio: 'pipe' } as const;
    return execFileSync('python3', ['-c', program, JSON.stringify(given)], options).trimEnd();
  }
  const merge = (...given: readonly unknown[]): string => run('MERGE_STATEMENT', 'merge_statement', given);
  const update = (...given: readonly unknown[]): string => run('UPDATE_STATEMENT', 'update_statement', given);
  const TABLE = 'CRM.PUBLIC.CONTACTS';

  it('build one statement, which is SQL of Snowflake', async () => {
    const parsers = await loadSqlParsers();
    const texts = [
      merge(TABLE, 'CRM.STAGING.CONTACTS', ['ID'], ['ID', 'NOTE']),
      merge(TABLE, 'CRM.STAGING.CONTACTS', ['ID'], []),
      update(TABLE, { NOTE: "it's \\", AGE: 3, OK: true, GONE: null }, { ID: 7 }),
    ];
    expect(texts).toEqual([
      'MERGE INTO CRM.PUBLIC.CONTACTS AS t USING CRM.STAGING.CONTACTS AS s ON t.ID = s.ID WHEN MATCHED THEN UPDATE SET t.NOTE = s.NOTE WHEN NOT MATCHED THEN INSERT (ID, NOTE) VALUES (s.ID, s.NOTE)',
      'MERGE INTO CRM.PUBLIC.CONTACTS AS t USING CRM.STAGING.CONTACTS AS s ON t.ID = s.ID WHEN NOT MATCHED THEN INSERT (ID) VALUES (s.ID)',
      "UPDATE CRM.PUBLIC.CONTACTS SET AGE = 3, GONE = NULL, NOTE = 'it''s \\\\', OK = TRUE WHERE ID = 7",
    ]);
    expect(
      texts.filter((text) => (parsers.rs(text, 'snowflake') as readonly unknown[] | undefined)?.length !== 1),
    ).toEqual([]);
  });

  it.each([
    ['no key', () => merge(TABLE, TABLE, [], ['A'])],
    ['a column twice', () => merge(TABLE, TABLE, ['A'], ['a'])],
    ['a name with more in it', () => merge(TABLE, TABLE, ['A'], ['B = 1; DROP TABLE X; --'])],
    ['a table without its place', () => merge('CONTACTS', TABLE, ['A'], [])],
    ['a condition that is none', () => update(TABLE, { A: 1 }, {})],
    ['a null key', () => update(TABLE, { A: 1 }, { ID: null })],
    ['a value of another kind', () => update(TABLE, { A: [1] }, { ID: 1 })],
  ])('refuse %s', (_what, call) => {
    expect(call).toThrow(/CLY_GUARD_(?:COLUMNS|KEYS)/);
  });
});

describe('the helpers on Databricks', () => {
  it('merge under a token, and not from a source with doubtful keys', async () => {
    const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
import clyra_delta
class Conf(dict):
    def set(self, name, value): self[name] = value
    def unset(self, name): del self[name]
class Rows:
    def __init__(self, found): self.found = found
    def count(self): return self.found
class Spark:
    def __init__(self, wrong): self.conf, self.wrong, self.said = Conf(), wrong, []
    def sql(self, text):
        self.said.append([text, clyra_delta.OPTION in self.conf])
        return Rows(self.wrong)
out = []
for wrong in (0, 1):
    spark = Spark(wrong)
    try:
        clyra_delta.merge_with_cert(spark, "a" * 32, "main.crm.contacts", "main.staging.contacts", ["id"], ["id", "note"])
        out.append([spark.said, None])
    except ValueError as error:
        out.append([spark.said, str(error)])
print(json.dumps(out))`;
    const folder = join(INTEGRATIONS, 'databricks', 'python');
    type Said = readonly [readonly (readonly [string, boolean])[], string | null];
    const answer = execFileSync('python3', ['-B', '-c', program, folder], { encoding: 'utf8' });
    const [[good], [doubtful, why]] = JSON.parse(answer) as readonly [Said, Said];
    const parsers = await loadSqlParsers();
    expect(good.map(([, isNamed]) => isNamed)).toEqual([false, true]);
    expect(good[1]?.[0]).toBe(
      'MERGE INTO `main`.`crm`.`contacts` AS t USING `main`.`staging`.`contacts` AS s ON t.`id` = s.`id` WHEN MATCHED THEN UPDATE SET t.`note` = s.`note` WHEN NOT MATCHED THEN INSERT (`id`, `note`) VALUES (s.`id`, s.`note`)',
    );
    expect(good.filter(([text]) => parsers.rs(text, 'databricks') === undefined)).toEqual([]);
    expect([doubtful.length, why]).toEqual([1, expect.stringContaining('CLY_GUARD_KEYS')]);
  });

  it('write what the recorder reads, and leave the session as it was', () => {
    const folder = join(INTEGRATIONS, 'databricks', 'python');
    const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
import clyra_delta
class Conf(dict):
    def set(self, name, value): self[name] = value
    def unset(self, name): del self[name]
class Spark: pass
spark = Spark()
spark.conf = Conf()
with clyra_delta.committed_under(spark, "a" * 32, run_id="run-7", actor_id="sync-bot"):
    inside = spark.conf[clyra_delta.OPTION]
print(json.dumps([inside, len(spark.conf)]))`;
    const argv = ['-B', '-c', program, folder];
    const [inside, left] = JSON.parse(execFileSync('python3', argv, { encoding: 'utf8' })) as [string, number];
    expect(readSessionTag(inside)).toEqual({
      tokenHash: digestOf('a'.repeat(32)),
      runId: 'run-7',
      actorId: 'sync-bot',
    });
    expect(left).toBe(0);
    expect(read('databricks/macros/clyra_user_metadata.sql')).toContain(
      "{'ClyraApprovalToken': token, 'RunId': run_id",
    );
  });
});
