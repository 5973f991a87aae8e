// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { POLICY_DIGEST, SCRIPT_KEYS, SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { mutate, type Place, placesOf, valueAtPlace } from '@clyra/testing/json-mutation';
import { schemaDocuments } from '@clyra/testing/schema-documents';
import { sealHistory } from '@clyra/testing/sealed-bundles';
import { makeTestKey } from '@clyra/testing/test-keys';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { contentId, readObservation } from './observation-body.ts';
import { readReceipt } from './read-receipt.ts';

type Named = { readonly schema: string; readonly document: JsonObject };

const documents = schemaDocuments();
const ajv = new Ajv2020({ strict: true, unicodeRegExp: false, schemas: [...documents.values()] });
/**
 * The policy schema is for editors, with keywords that strict mode does not take; policy-schema.unit.test.ts holds it.
 * Replies are held to theirs wherever the Kafka door of intake is simulated.
 */
const ELSEWHERE = ['policy', 'types', 'commands/kill-switch-scope', 'ledger/delegation', 'intents/reply'];

function valid({ schema, document }: Named): boolean {
  const id = documents.get(schema)?.['$id'] ?? `no file schemas/json/${schema}.schema.json`;
  return ajv.validate(id, document) === true;
}

describe('the JSON Schemas of the bodies', () => {
  let made: readonly Named[] = [];
  beforeAll(async () => {
    made = await everything();
  });

  it('accept the recorded history', () => {
    const recorded = recordedHistory();
    expect(recorded.length).toBeGreaterThan(40);
    expect(recorded.filter((named) => !valid(named))).toEqual([]);
  });

  it('accept what the parts write, and none of them is unused', () => {
    for (const named of made) expect([named, valid(named), ajv.errors]).toEqual([named, true, null]);
    const used = new Set([...made.map(({ schema }) => schema), ...ELSEWHERE]);
    expect([...documents.keys()].filter((schema) => !used.has(schema))).toEqual([]);
  });

  it('refuse an unknown member of any object', () => {
    const open = (named: Named, place: Place): boolean => named.schema === 'changes/command' && place[0] === 'command';
    expect(
      accepted({ how: 'add', value: 1, only: (named, value, place) => isJsonObject(value) && !open(named, place) }),
    ).toEqual([]);
  });

  it('refuse a value of another type', () => {
    const scalar = (value: JsonValue | undefined): boolean => typeof value !== 'object';
    const free = (named: Named, place: Place): boolean => named.schema === 'changes/command' && place[0] === 'command';
    expect(
      accepted({ how: 'replace', value: {}, only: (named, value, place) => scalar(value) && !free(named, place) }),
    ).toEqual([]);
  });

  it('never accept what a reader of the log refuses', () => {
    const readers: Readonly<Record<string, (body: JsonObject) => unknown>> = {
      receipts: readReceipt,
      observations: readObservation,
    };
    const refused: Named[] = [];
    for (const named of made) {
      const read = readers[named.schema.split('/')[0] ?? ''];
      if (read === undefined) continue;
      for (const at of placesOf(named.document).keys()) {
        for (const value of [null, -1, '', 'x', []]) {
          const changed = { ...named, document: restamped(mutate(named.document, { how: 'replace', at, value })) };
          if (valid(changed) && !isRead(read, changed.document)) refused.push(changed);
        }
      }
    }
    expect(refused).toEqual([]);
  });

  /** The mutations that a schema lets through. */
  function accepted(change: {
    readonly how: 'add' | 'replace';
    readonly value: JsonValue;
    readonly only: (named: Named, value: JsonValue | undefined, place: Place) => boolean;
  }): string[] {
    const through: string[] = [];
    let tried = 0;
    for (const named of onePerSchema(made)) {
      for (const [at, place] of placesOf(named.document).entries()) {
        if (!change.only(named, valueAtPlace(named.document, place), place)) continue;
        tried += 1;
        const document = mutate(named.document, { how: change.how, at, value: change.value });
        if (valid({ ...named, document })) through.push(`${named.schema} /${place.join('/')}`);
      }
    }
    expect(tried).toBeGreaterThan(60);
    return through;
  }
});

/** An id that follows from the body is made anew: a schema cannot say how. */
function restamped(document: JsonObject): JsonObject {
  const isOwn = ['coverage', 'outage', 'accessed', 'document'].includes(String(document['kind']));
  const isWhole = /^[0-9a-f]{32}$/.test(String(document['observation_id']));
  return isOwn && isWhole ? { ...document, observation_id: contentId(document) } : document;
}

function isRead(read: (body: JsonObject) => unknown, body: JsonObject): boolean {
  try {
    read(body);
    return true;
  } catch {
    return false;
  }
}

/** The largest document of each schema: the one with the most members to change. */
function onePerSchema(all: readonly Named[]): Named[] {
  const largest = new Map<string, Named>();
  for (const named of all) {
    const known = largest.get(named.schema);
    if (known === undefined || placesOf(known.document).length < placesOf(named.document).length) {
      largest.set(named.schema, named);
    }
  }
  return [...largest.values()];
}

function jsonOf(bytes: Uint8Array | string): JsonObject {
  return JSON.parse(Buffer.from(bytes).toString('utf8')) as JsonObject;
}

function linesOf(bytes: Uint8Array | undefined): JsonObject[] {
  const lines = Buffer.from(bytes ?? '')
    .toString('utf8')
    .split('\n');
  return lines.filter((line) => line !== '').map(jsonOf);
}

function changeOf(document: JsonObject): Named[] {
  const command = document['command'];
  const facts = document['facts'];
  const change = { schema: `changes/${String(document['kind'])}`, document };
  if (isJsonObject(facts)) return [change, { schema: 'facts', document: facts }];
  if (!isJsonObject(command)) return [change];
  return [
    { schema: 'changes/command', document },
    { schema: `commands/${String(document['kind'])}`, document: command },
  ];
}

function recordedHistory(): Named[] {
  const file = new URL('../../../../schemas/vectors/histories/engine-1-unreleased.json', import.meta.url);
  const history = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly trust_root: string;
    readonly records: readonly { readonly body: string; readonly signature: string; readonly receipt: string }[];
  };
  return [
    { schema: 'bundle/trust-root', document: jsonOf(history.trust_root) },
    ...history.records.flatMap(({ body, signature, receipt }) => [
      ...changeOf(jsonOf(body)),
      { schema: 'signature-block', document: jsonOf(signature) },
      { schema: `receipts/${String(jsonOf(receipt)['kind'])}`, document: jsonOf(receipt) },
    ]),
  ];
}

/** A history with every kind of record in it, and everything that is made of it. */
async function everything(): Promise<Named[]> {
  const history = await busyHistory();
  const entries = history.entries.flatMap((entry): Named[] => {
    if (entry.source === 'observations') {
      const { kind, body } = entry.observation;
      return [{ schema: `observations/${kind}`, document: jsonOf(body) }];
    }
    const receipt = jsonOf(entry.receipt.body);
    const change = receipt['kind'] === 'poisoned' ? [] : changeOf(jsonOf(entry.change.body));
    return [
      ...change,
      { schema: 'signature-block', document: jsonOf(entry.change.signature) },
      { schema: `receipts/${String(receipt['kind'])}`, document: receipt },
    ];
  });
  const bundles = await sealHistory(history);
  expect(bundles.length).toBeGreaterThan(1);
  const root = { schema: 'bundle/trust-root', document: jsonOf(SCRIPT_TRUST.bytes) };
  return [...entries, ...bundles.flatMap(({ files }) => ofBundle(files)), root, VERIFICATION_POLICY];
}

const VERIFICATION_POLICY: Named = {
  schema: 'bundle/verification-policy',
  document: { format: 'clyra/verification-policy/v0', name: 'audit', require: ['integrity', 'order'] },
};

function ofBundle(files: ReadonlyMap<string, Uint8Array>): Named[] {
  const manifest = jsonOf(files.get('manifest.json') ?? '');
  const ledgers = (manifest['artifacts'] as readonly { readonly kind: string; readonly sha256: string }[]).filter(
    ({ kind }) => kind === 'ledger',
  );
  const carried = ledgers.flatMap(({ sha256 }) => linesOf(files.get(`artifacts/${sha256}`)));
  return [
    { schema: 'bundle/manifest', document: manifest },
    ...linesOf(files.get('journal.jsonl')).map((document) => ({
      schema: `journal/${String(document['kind'])}`,
      document,
    })),
    ...carried.map((document) => ({ schema: `ledger/${String(document['kind'])}`, document })),
  ];
}

async function busyHistory(): Promise<History> {
  const history = await new History().open();
  const { script } = history;
  await history.run('run.opened', 'run-1');
  const first = await history.request({}, { run_id: 'run-1' });
  await history.outcome(first.folded.eventId);
  await history.transaction({ tokens: [grantedToken(first) ?? ''] });
  await history.transaction();
  await history.watermark();
  await history.gap();
  await history.outage();
  await history.accessed();
  await history.document(Buffer.from('{}'));
  await history.coverage({
    scope: 'listed',
    relations: ['public.contacts'],
    blind_spots: [{ code: 'ddl_unannounced' }],
  });
  const open = await history.request({}, { supersedes: first.folded.eventId });
  const held = await history.request({
    route: 'audiences.push',
    schema: { id: null, verdict: 'not_required', errors: [] },
  });
  await history.request({ content: 'CLY_JSON_UTF8', origin: 'crm', client_app_id: 'app', session_id: 's' });
  const refund = { schema: { id: null, verdict: 'not_required', errors: [] }, idempotency: null } as const;
  const velocity = [{ rule: 'refunds', key_digest: digestOf('actor') }];
  for (let count = 0; count < 4; count += 1) await history.request({ ...refund, route: 'refunds.create', velocity });
  const { operator, second, author, approver, kms } = SCRIPT_KEYS;
  await script.command('kill_switch.engaged', { scope: 'route:refunds.create', reason: 'drill' }, [operator]);
  await script.command('kill_switch.lifted', { scope: 'route:refunds.create', reason: 'done' }, [operator, second]);
  await script.command('policy.activated', { policy: POLICY_DIGEST, replaces: POLICY_DIGEST }, [author, approver]);
  await script.command('engine.activated', { engine: 1 }, [author, approver]);
  await script.command('key.delegated', { key: lentKey(script.nowMs) }, [kms]);
  await script.command('change.resolved', { of: open.folded.eventId, resolution: 'done' }, [operator]);
  const of = held.folded.eventId;
  const approvalId = digestOf('approval').slice(0, 32);
  await script.command('approval.granted', certificateFor(of, approvalId), [SCRIPT_KEYS.human]);
  await script.command('approval.revoked', { of, approval_id: approvalId, reason: 'drill' }, [operator]);
  await script.command('emergency.reviewed', { approval_id: approvalId, verdict: 'none' }, [second]);
  await history.append(script.body('clock.ticked', { number: 1 }));
  await history.run('run.closed', 'run-1');
  script.appendEnvelope({
    body: Buffer.from('{}'),
    signature: script.envelopes[0]?.signature ?? new Uint8Array(),
    tenant: 'acme',
    kind: 'change.requested',
    event_id: open.folded.eventId,
  });
  await history.outcome(open.folded.eventId, 'not_forwarded');
  await history.run('run.opened', 'run-2');
  history.nowMs += 10;
  await history.transaction();
  history.nowMs -= 10;
  await history.closeWindow();
  return history;
}

function certificateFor(of: string, approvalId: string): JsonObject {
  return {
    of,
    approval_id: approvalId,
    route: 'audiences.push',
    method: 'POST',
    target_digest: digestOf('/contacts'),
    payload_hash: digestOf('canonical'),
    requester: 'sync-bot',
    challenge_nonce: digestOf('challenge'),
    proof: 'oidc',
    approver_sso_sub: '00u1',
    idp_domain: 'login.example.com',
    amr: ['pwd', 'hwk'],
    mfa: true,
    auth_time: 1_750_000_000_000,
    id_token_digest: digestOf('token'),
    jwks_digest: digestOf('keys'),
    display_digest: digestOf('page'),
    emergency: false,
    ticket: 'T-1',
    reason: 'drill',
  };
}

function lentKey(nowMs: number): JsonObject {
  const { keyId, publicKey } = makeTestKey('process', []);
  const window = { valid_from: nowMs, valid_to: nowMs + 86_400_000 };
  const named = { alg: 'ed25519', key_id: keyId, public_key: Buffer.from(publicKey).toString('base64') };
  return { ...named, roles: ['intake', 'enforcer'], ...window };
}
