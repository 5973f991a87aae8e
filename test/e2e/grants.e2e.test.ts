// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bundleAfter, observationsSequenced, recorderCovers } from '@clyra/cli/quickstart/await-evidence';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import { systemClock } from '@clyra/runtime/system-clock';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Runs } from '../faults/bundler/runs.ts';
import { WORLD_TENANT } from '../faults/world/world-policy.ts';
import { e2eSizes } from './config.ts';
import { GrantWorld } from './grants/grant-world.ts';

const START_MS = 180_000;
const WAIT = { clock: systemClock, deadlineMs: 60_000 };
/** The issue asks for findings within seconds. */
const FINDING_MS = 10_000;
const POLICY_FILE = new URL('../../packs/verification/quickstart.json', import.meta.url).pathname;

let own: GrantWorld;
let runs: Runs;

beforeAll(async () => {
  own = await GrantWorld.start(e2eSizes().seed);
  runs = new Runs(own.world, 'migrator');
  await runs.open('the-run');
}, START_MS);

afterAll(() => own?.world.close(), START_MS);

/** Redeems each grant and runs the statement in one transaction of the writing role; returns the transaction's id. */
function write(grants: readonly string[], statement: string): Promise<string> {
  return own.app.transaction(async (session) => {
    for (const grant of grants) await session.query('select clyra.redeem($1)', [grant]);
    await session.query(statement);
    const { rows } = await session.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
    return rows[0]?.xid ?? '';
  });
}

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return 'done';
  } catch (error) {
    if (error instanceof ClyraError) return error.code;
    throw error;
  }
}

/** As somebody who may do everything: the guard only watches, and the token comes from wherever it was taken. */
function writeAround(statement: string, token?: string): Promise<string> {
  return own.admin.transaction(async (session) => {
    if (token !== undefined) await session.query(`select pg_logical_emit_message(true, 'clyra', $1)`, [token]);
    await session.query(statement);
    const { rows } = await session.query<{ xid: string }>('select pg_current_xact_id()::text as xid');
    return rows[0]?.xid ?? '';
  });
}

function tokenOf(grant: string): string {
  const payload = JSON.parse(Buffer.from(grant.split('.')[0] ?? '', 'base64').toString('utf8')) as { token: string };
  return payload.token;
}

type Finding = { readonly status: string; readonly reason: string; readonly token_hash: string | null };

async function findings(): Promise<readonly Finding[]> {
  const response = await fetch(`${own.world.service('recorder').url}/v1/findings`);
  const { tenants } = (await response.json()) as { tenants: { tenant: string; findings: readonly Finding[] }[] };
  return tenants.find(({ tenant }) => tenant === WORLD_TENANT)?.findings ?? [];
}

async function verdictsIn(directory: string): Promise<ReadonlyMap<string, string>> {
  const lines = (await readFile(join(directory, 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, never>);
  const xids = new Map<string, string>();
  const verdicts = new Map<string, string>();
  for (const { kind, observation, observation_id: id, status, reason } of records as readonly Record<string, never>[]) {
    if (kind === 'observed') {
      const { body } = observation as unknown as { body: { observation_id: string; xid?: number } };
      if (body.xid !== undefined) xids.set(body.observation_id, String(body.xid));
    }
    if (kind === 'matched') verdicts.set(xids.get(String(id)) ?? '', `${String(status)} ${String(reason)}`);
  }
  return verdicts;
}

describe('a grant from intake to the bundle', () => {
  const expected = new Map<string, string>();
  let used = '';
  let spare = '';

  it('lets the caller write what was allowed, once', async () => {
    used = await own.grant();
    expected.set(await write([used], `insert into contacts values (1, 'a'), (2, 'b')`), 'matched token_and_effect');
    expect(await refusal(write([used], `update contacts set note = 'x'`))).toBe('CLY_GUARD_GRANT_USED');
  });

  it('is refused by the database where it is forged, too small, or missing', async () => {
    spare = await own.grant();
    const forged = `${spare.slice(0, -1)}${spare.endsWith('0') ? '1' : '0'}`;
    expect(await refusal(write([forged], `insert into contacts values (9)`))).toBe('CLY_GUARD_GRANT_FORGED');
    const more = 'insert into contacts values (7), (8), (9)';
    expect(await refusal(write([spare], more))).toBe('CLY_GUARD_ROWS');
    expect(await refusal(write([spare], 'delete from contacts'))).toBe('CLY_GUARD_NO_GRANT');
    expect(await refusal(write([], 'insert into contacts values (9)'))).toBe('CLY_GUARD_NO_GRANT');
    expect(await refusal(own.admin.query('insert into contacts values (9)'))).toBe('CLY_GUARD_NO_GRANT');
    const { rows } = await own.admin.query<{ ids: number[] }>('select array_agg(id order by id) as ids from contacts');
    expect(rows[0]?.ids).toEqual([1, 2]);
  });

  it('is one for each member of a change set, each for its own statement', async () => {
    const insert = `insert into contacts values (3, 'c')`;
    const { rows } = await own.app.query<{ text: string }>(
      `select clyra_guard.update_statement('contacts', '{"note": "from the set"}', '{"id": 1}') as text`,
    );
    const update = rows[0]?.text ?? '';
    const member = { source_id: 'crm', relations: ['public.contacts'], rows_max: 1 };
    const { grants } = await own.ask('/migrations', {
      members: [
        { ...member, operations: ['insert'], statement: insert },
        { ...member, operations: ['update'], statement_digest: digestOf(update) },
      ],
    });
    const [first = '', second = ''] = grants.map(({ grant }) => grant);
    const execute = (grant: string, statement: string): Promise<{ xid: string }[]> =>
      own.app
        .query<{ xid: string }>('select clyra.execute($1, $2), pg_current_xact_id()::text as xid', [grant, statement])
        .then((found) => [...found.rows]);
    expect(await refusal(execute(first, update))).toBe('CLY_GUARD_GRANT_MEMBER');
    const done = await execute(first, insert);
    expected.set(done[0]?.xid ?? '', 'matched token_and_effect');
    const updated = await own.app.query<{ xid: string }>(
      `select clyra_guard.safe_update($1, 'contacts', '{"note": "from the set"}', '{"id": 1}'), pg_current_xact_id()::text as xid`,
      [second],
    );
    expected.set(updated.rows[0]?.xid ?? '', 'matched token_and_effect');
  });

  it('is a finding within seconds where somebody goes around the guard', async () => {
    await own.admin.query(`select clyra.configure('crm', '\\x${'00'.repeat(32)}', true)`);
    await own.admin.query(`delete from clyra.grant_key where key_digest = sha256('\\x${'00'.repeat(32)}')`);
    expected.set(await writeAround(`insert into contacts values (11)`), 'unattributed no_token');
    expected.set(
      await writeAround(`insert into contacts values (12)`, 'f'.repeat(32)),
      'claimed_unproved token_unknown',
    );
    expected.set(await writeAround(`insert into contacts values (13)`, tokenOf(used)), 'reused token_used');
    const beyond = 'insert into contacts values (14), (15), (16)';
    expected.set(await write([spare], beyond), 'exceeded rows');
    const named = [
      { status: 'unattributed', reason: 'no_token', token_hash: null },
      { status: 'claimed_unproved', reason: 'token_unknown', token_hash: digestOf('f'.repeat(32)) },
      { status: 'reused', reason: 'token_used', token_hash: digestOf(tokenOf(used)) },
      { status: 'exceeded', reason: 'rows', token_hash: digestOf(tokenOf(spare)) },
    ];
    const endMs = Date.now() + FINDING_MS;
    while ((await findings()).length < named.length && Date.now() < endMs) await pause(100);
    const found = (await findings()).map(({ status, reason, token_hash }) => ({ status, reason, token_hash }));
    expect(found).toHaveLength(named.length);
    expect(found).toEqual(expect.arrayContaining(named));
  });

  it(
    'has its verdict in the sealed bundle, which verifies',
    async () => {
      await recorderCovers(own.world.service('recorder').url, { ...WAIT, sourceId: 'crm', untilMs: Date.now() + 50 });
      const { url } = own.world.service('bundler');
      await observationsSequenced(url, own.world.parts.settings, WAIT);
      await runs.close('the-run');
      const { location } = await bundleAfter(url, WORLD_TENANT, { ...WAIT, afterEnd: 0 });
      const { blobDir, trustRootFile } = own.world.parts.local.layout;
      const directory = join(blobDir, location);
      expect(await verdictsIn(directory)).toEqual(expected);
      const report = await verifyBundle({ directory, trustRootFile, policyFile: POLICY_FILE, mode: 'full' });
      expect(report).toMatchObject({ exitCode: 0, failures: [] });
      const counts = { matched: 3, exceeded: 1, reused: 1, unattributed: 1, claimed_unproved: 1 };
      expect(report.findings?.counts).toEqual(counts);
    },
    START_MS,
  );
});
