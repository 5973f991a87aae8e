// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { checkGrant, openGrant } from '@clyra/core/grant/grant';
import { describe, expect, it } from '@jest/globals';
import { IntakeWorld, problemOf, TENANT } from '../test-support/intake-world.ts';
import { parseGrantPlaces } from './grant-places.ts';

const KEY = Buffer.alloc(32, 3);
const EFFECTS =
  'source_id: crm, relations: [public.contacts], operations: [insert, update], rows_max: 5, ttl_seconds: 30';
const POLICY = `
name: grants
routes:
  - { id: contacts.put, method: POST, path: /contacts, upstream: crm, effects: { ${EFFECTS} } }
  - { id: statement, method: POST, path: /statement, upstream: clyra-grants, effects: { ${EFFECTS} } }
  - { id: migration, method: POST, path: /migration, upstream: clyra-grants, effects: { ${EFFECTS}, members: /members } }
  - { id: set.put, method: POST, path: /set, upstream: crm, effects: { ${EFFECTS}, members: /members } }
`;
const places = (entry: JsonObject = {}): ReturnType<typeof parseGrantPlaces> =>
  parseGrantPlaces(
    Buffer.from(
      JSON.stringify({
        places: [{ source_id: 'crm', tenant: TENANT, database: 'crm_db', key: KEY.toString('hex'), ...entry }],
      }),
    ),
  );

const member = (id: number): JsonObject => ({
  source_id: 'crm',
  relations: ['public.contacts'],
  operations: ['update'],
  rows_max: 1,
  statement: `update public.contacts set note = 'x' where id = ${id}`,
});

async function opened(entry?: JsonObject | null) {
  const world = new IntakeWorld({ policyText: POLICY });
  const intake = await world.open(entry === null ? {} : { grantPlaces: places(entry) });
  const ask = (target: string, body: JsonObject = {}) =>
    world.during(intake.gateway.handle(world.request({ target, body: JSON.stringify(body) })));
  return { world, ask };
}

const grantHeaders = (world: IntakeWorld): string[][] =>
  world.forwarded.map(({ headers }) => {
    const at = headers.indexOf('clyra-grant');
    return at < 0 ? [] : String(headers[at + 1]).split(',');
  });

const hashesInLog = (world: IntakeWorld): string[] =>
  world.enforcer.decided.flatMap(({ bytes }) => {
    const { grants = [] } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { grants?: { token_hash: string }[] };
    return grants.map(({ token_hash }) => token_hash);
  });

describe('intake makes grants', () => {
  it('for the upstream of an allowed change, of exactly what its receipt allows', async () => {
    const { world, ask } = await opened();
    const answer = await ask('/contacts');
    expect(answer.status).toBe(201);
    const [[text = ''] = []] = grantHeaders(world);
    const grant = openGrant(text, KEY);
    expect(grant).toMatchObject({
      ...{ tenant: TENANT, event_id: answer.headers['clyra-event-id'], source_id: 'crm', database: 'crm_db' },
      ...{ role: null, member: null, relations: ['public.contacts'], operations: ['insert', 'update'], rows_max: 5 },
    });
    expect(grant.expires_at - grant.not_before).toBe(30_000);
    expect(hashesInLog(world)).toEqual([digestOf(grant.token)]);
    expect(JSON.stringify(world.changesOf('change.requested'))).not.toContain(grant.token);
  });

  it('in its answer, where the caller is the one who redeems', async () => {
    const { world, ask } = await opened({ role: 'migrator' });
    const answer = await ask('/statement');
    expect(answer).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    const { grants, event_id } = problemOf(answer) as unknown as { grants: { grant: string }[]; event_id: string };
    const grant = openGrant(grants[0]?.grant ?? '', KEY);
    expect(grants).toEqual([{ ...pickGrant(grant), grant: grants[0]?.grant }]);
    expect([event_id, grant.event_id, grant.role]).toEqual([answer.headers['clyra-event-id'], event_id, 'migrator']);
    expect(world.forwarded).toEqual([]);
    await world.pass(200);
    expect(world.changesOf('change.outcome')).toMatchObject([
      { of: event_id, outcome: 'done', upstream_status: 200, detail: 'grants_issued' },
    ]);
  });

  it.each(['/migration', '/set'])(
    'one for each member of a change set, each for its own statement: %s',
    async (target) => {
      const { world, ask } = await opened();
      const members = [member(1), member(2)];
      const answer = await ask(target, { members });
      const texts =
        target === '/set'
          ? (grantHeaders(world)[0] ?? [])
          : (problemOf(answer) as unknown as { grants: { grant: string }[] }).grants.map(({ grant }) => grant);
      const grants = texts.map((text) => openGrant(text, KEY));
      expect(grants.map((grant) => grant.member)).toEqual(members.map(({ statement }) => digestOf(String(statement))));
      expect(hashesInLog(world)).toEqual(grants.map(({ token }) => digestOf(token)));
      expect(new Set(grants.map(({ token }) => token)).size).toBe(2);
      const [first] = grants;
      if (first === undefined) throw new Error('there is a grant');
      const at = { source_id: 'crm', database: 'crm_db', role: 'app', nowMs: first.not_before };
      expect(() => checkGrant(first, { ...at, member: digestOf(String(members[1]?.['statement'])) })).toThrow(
        'another',
      );
      checkGrant(first, { ...at, member: digestOf(String(members[0]?.['statement'])) });
    },
  );

  it('none for what is blocked, and names the code', async () => {
    const { world, ask } = await opened();
    const beyond = await ask('/migration', { members: [{ ...member(1), rows_max: 6 }] });
    expect(problemOf(beyond)).toMatchObject({ status: 403, code: 'CLY_CHANGE_SET_BEYOND' });
    expect(problemOf(await ask('/migration', {}))).toMatchObject({ status: 422, code: 'CLY_CHANGE_SET_MISSING' });
    expect(hashesInLog(world)).toEqual([]);
  });

  it.each([
    ['no place', null],
    ['a place of another tenant', { tenant: 'globex' }],
    ['a place of another source', { source_id: 'warehouse' }],
  ])('none where there is %s: an upstream goes without, a caller is told', async (_what, entry) => {
    const { world, ask } = await opened(entry);
    expect((await ask('/contacts')).status).toBe(201);
    expect(grantHeaders(world)).toEqual([[]]);
    expect(problemOf(await ask('/statement'))).toMatchObject({ status: 503, code: 'CLY_GRANT_PLACE_UNKNOWN' });
    await world.pass(200);
    expect(world.changesOf('change.outcome')).toContainEqual(
      expect.objectContaining({ outcome: 'not_forwarded', detail: 'grant_place_unknown' }),
    );
  });

  it('lets no caller pass a grant of its own on', async () => {
    const { world } = await opened(null);
    const intake = await world.startIntake({ intake: { instance: 'intake-2', epoch: 1 } });
    await world.during(
      intake.gateway.handle(world.request({ target: '/contacts', body: '{}', extra: ['Clyra-Grant', 'own'] })),
    );
    expect(grantHeaders(world)).toEqual([[]]);
  });
});

describe('the file of grant places', () => {
  it.each<[string, string]>([
    ['no JSON', '{'],
    ['no list', '{}'],
    ['an unknown member', '{"places": [{"source": "crm"}]}'],
    ['a key that is short', `{"places": [{"source_id": "crm", "tenant": "acme", "database": "d", "key": "00ff"}]}`],
    ['no database', `{"places": [{"source_id": "crm", "tenant": "acme", "key": "${'00'.repeat(32)}"}]}`],
  ])('is refused with %s, and shows no key', (_what, text) => {
    expect(() => parseGrantPlaces(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'CLY_GRANT_PLACES_INVALID' }),
    );
    expect(() => parseGrantPlaces(Buffer.from(text))).not.toThrow('00ff');
  });

  it('has each source once', () => {
    const entry = { source_id: 'crm', tenant: TENANT, database: 'd', key: KEY.toString('hex') };
    expect(() => parseGrantPlaces(Buffer.from(JSON.stringify({ places: [entry, entry] })))).toThrow('stands twice');
  });
});

function pickGrant({
  source_id,
  database,
  role,
  member,
  relations,
  operations,
  rows_max,
  expires_at,
}: ReturnType<typeof openGrant>) {
  return { source_id, database, role, member, relations, operations, rows_max, expires_at };
}
