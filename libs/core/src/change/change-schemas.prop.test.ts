// SPDX-License-Identifier: Apache-2.0
import { FoldScript, SCRIPT_KEYS } from '@clyra/testing/fold-script';
import { type Mutation, mutate, placesOf } from '@clyra/testing/json-mutation';
import { schemaDocuments } from '@clyra/testing/schema-documents';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { encodeRecord, parseRecord } from '../canonical/record.ts';
import type { Facts } from './change-body.ts';
import { parseChange } from './parse-change.ts';

/** What a hostile or mistaken writer might put in place of a member; patterns are tried at their edges. */
const VALUES = [
  ...[null, true, 0, 1, -1, 99, 100, 2 ** 53 - 1],
  ...[
    '',
    'x',
    'X',
    'ok',
    'done',
    'valid',
    'header',
    'POST',
    'CLY_JSON_UTF8',
    'CLY_',
    '_partition',
    'acme',
    'a'.repeat(63),
  ],
  ...[
    'a'.repeat(64),
    'a'.repeat(128),
    'a'.repeat(129),
    'a'.repeat(256),
    'a'.repeat(257),
    '😀'.repeat(128),
    '😀'.repeat(129),
    'a\u007f',
  ],
  ...['line\nend', 'tab\t', 'ü', digestOf('x'), digestOf('x').toUpperCase(), digestOf('x').slice(0, 32)],
  ...['00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-00000000000G', `${'A'.repeat(86)}==`],
  ...['run.opened', 'clock.ticked', 'tenant.opened', 'kill_switch.lifted', 'stream.opened'],
  ...[
    [],
    [1],
    {},
    { from: 'body', value: 'x' },
    { $commit: digestOf('x') },
    { $commit: 'x' },
    { key_id: digestOf('x').slice(0, 32), sig: `${'A'.repeat(86)}==` },
  ],
];

const mutations: fc.Arbitrary<readonly Mutation[]> = fc.array(
  fc.record({
    how: fc.constantFrom('remove', 'replace', 'replace', 'add', 'repeat'),
    at: fc.nat(1_000),
    value: fc.constantFrom(...VALUES),
  }),
  { minLength: 2, maxLength: 4 },
);

let bodies: readonly JsonObject[] = [];
let validate: ValidateFunction;

beforeAll(async () => {
  bodies = await bodyOfEachKind();
  const documents = schemaDocuments();
  const ajv = new Ajv2020({ strict: true, unicodeRegExp: false, schemas: [...documents.values()] });
  const changes = [...documents].filter(([name]) => name.startsWith('changes/'));
  validate = ajv.compile({ anyOf: changes.map(([, { $id }]) => ({ $ref: $id })) });
});

describe('schemas/json/changes and parseChange', () => {
  it('accept a body of each kind', () => {
    expect(new Set(bodies.map((body) => body['kind'])).size).toBe(17);
    for (const body of bodies)
      expect([body['kind'], accepts(body), isParsed(body)]).toEqual([body['kind'], true, true]);
  });

  it('accept and refuse the same with each member replaced, removed, added or repeated', () => {
    const seen = { accepted: 0, refused: 0 };
    for (const body of bodies) {
      for (const at of placesOf(body).keys()) {
        for (const value of VALUES) agree(mutate(body, { how: 'replace', at, value }), seen);
        for (const how of ['remove', 'add', 'repeat'] as const) agree(mutate(body, { how, at, value: 1 }), seen);
      }
    }
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(1_000);
  });

  it('accept and refuse the same after several changes', () => {
    const seen = { accepted: 0, refused: 0 };
    const property = fc.property(fc.nat(16), mutations, (index, changes) => {
      agree(changes.reduce(mutate, bodies[index] as JsonObject), seen);
    });
    fc.assert(property, { numRuns: 2_000 });
    expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(50);
  });
});

/** Outside of the record grammar there is nothing that a schema could judge. */
function agree(body: JsonObject, seen: { accepted: number; refused: number }): void {
  if (!isRecord(body)) return;
  const accepted = accepts(body);
  seen[accepted ? 'accepted' : 'refused'] += 1;
  if (accepted !== isParsed(body)) expect({ accepted, body }).toEqual({ accepted: !accepted, body });
}

/** JSON Schema cannot compare two members: whose command it is stands in both places. */
function accepts(body: JsonObject): boolean {
  const command = body['command'] as JsonObject | undefined;
  return validate(body) && (command === undefined || command['tenant'] === body['tenant']);
}

function isRecord(body: JsonObject): boolean {
  try {
    return encodeRecord(body).length > 0;
  } catch {
    return false;
  }
}

function isParsed(body: JsonObject): boolean {
  try {
    parseChange(encodeRecord(body));
    return true;
  } catch {
    return false;
  }
}

async function bodyOfEachKind(): Promise<JsonObject[]> {
  const script = await new FoldScript().opened();
  const run = { run_id: 'run-1', actor: 'sync-bot', principal: 'key-1' };
  const of = script.eventId();
  const names = { actor_principal: 'a|1', approver_principal: 'b', client_app_id: 'c' };
  const correlation = { ...names, session_id: { $commit: digestOf('s') } };
  await script.append(script.body('run.opened', { ...run, correlation }));
  await script.request(
    { origin: 'crm', client_app_id: 'app', session_id: 's-1', velocity: [velocity()], ...analyses(), ...ruleFacts() },
    { run_id: 'run-1', supersedes: of },
  );
  await script.append(script.body('change.outcome', { of, outcome: 'failed', upstream_status: 500, detail: 'no' }));
  for (const kind of ['window.closed', 'clock.ticked']) await script.append(script.body(kind, { number: 1 }));
  const { operator, second, author, approver } = SCRIPT_KEYS;
  const source = { source_id: 'crm', database: digestOf('d'), system_id: '1' };
  await script.command('source.registered', source, [operator]);
  await script.command('policy.activated', { policy: digestOf('p') }, [author, approver]);
  await script.command('engine.activated', { engine: 1 }, [author, approver]);
  const scope = { scope: 'tenant', reason: 'drill' };
  await script.command('kill_switch.engaged', scope, [operator]);
  await script.command('kill_switch.lifted', scope, [operator, second]);
  await script.command('change.resolved', { of, resolution: 'done' }, [operator]);
  for (const kind of ['approval.granted', 'approval.revoked', 'emergency.reviewed'])
    await script.command(kind, {}, [operator]);
  await script.append(script.body('run.closed', run));
  return script.envelopes.map(({ body }) => parseRecord(body));
}

function analyses() {
  const finding = {
    detector: 'd',
    rule: 'injection/x',
    class: 'secret',
    pointer: '/a',
    layer: 'plain',
    count: 1,
  } as const;
  const delta = { hash: digestOf('h'), segments: 2, added: 1, removed: 0 };
  const sql = {
    rule: 'sql',
    pointer: '/sql',
    dialect: 'mysql',
    statement_digest: digestOf('s'),
    statement_count: 1,
  } as const;
  const asked = { request_digest: digestOf('r'), duration_ms: 3 };
  return {
    sql: [{ ...sql, verdict: 'held', codes: ['CLY_SQL_OPAQUE'] } as const],
    detectors: { pack_digest: digestOf('p'), truncated: false, findings: [finding], prompt_delta: delta },
    external_detectors: [
      { id: 'e', outcome: 'outage', outage: 'timeout', ...asked },
      { id: 'f', outcome: 'clear', ...asked },
    ],
  } as const;
}

function velocity(): { rule: string; key_digest: string } {
  return { rule: 'refunds', key_digest: digestOf('key') };
}

/** What only rules of some policies ask for. */
function ruleFacts(): Partial<Facts> {
  return {
    amounts: [
      { rule: 'rate_limits/refunds', value: '12.50', currency: 'EUR' },
      { rule: 'cost_caps/c', value: null, currency: null },
    ],
    headers_missing: ['x-tenant-id'],
    voice: [
      {
        rule: 'calls',
        session: 's-1',
        disclaimer_played: true,
        disclaimer_acknowledged: null,
        barge_in_available: false,
        barge_in_window_ms: 10,
        asserted_by: 'partner',
      },
    ],
    deploy: [{ rule: 'd', commit: 'abcdef0', artifact: 'sha256:1', environment: 'prod', author: null }],
    rows: [{ rule: 's', value: 3 }],
    change_set: {
      verdict: 'ok',
      digest: digestOf('set'),
      members: [
        {
          token_hash: digestOf('member'),
          source_id: 'crm',
          relations: ['public.contacts'],
          operations: ['insert', 'ddl'],
          rows_max: 3,
          statement_digest: digestOf('statement'),
          base_state: null,
        },
      ],
    },
  };
}
