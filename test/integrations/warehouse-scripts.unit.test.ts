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

describe('the helpers on Databricks', () => {
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
