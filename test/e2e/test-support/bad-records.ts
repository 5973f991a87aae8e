// SPDX-License-Identifier: Apache-2.0

import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';

export type RecordContext = {
  readonly codec: EnvelopeCodec;
  readonly tenant: string;
  readonly nowMs: number;
  /** The value of a record that intake wrote and the enforcer allowed. */
  readonly genuine: Uint8Array;
};

/** A record that somebody with access to the broker puts straight onto clyra.changes. */
export type BadRecord = {
  readonly name: string;
  readonly value: (context: RecordContext) => Uint8Array | null;
  readonly code: string;
  /** `poisoned`: cannot be read, goes to quarantine. `blocked`: can be read, and is refused in a log. */
  readonly becomes: 'poisoned' | 'blocked';
};

const EVENT_ID = '01a208a0-c3a7-7001-8c14-f19a4b2081e3';
const ID_END = 5;
/** A zero byte, the registry's id, the fingerprint of the schema. */
const HEADER_SIZE = 13;
const CHANGE_BYTES_MAX = 32_768;
const KEY_ID = '0'.repeat(32);
const SIG = Buffer.alloc(64).toString('base64');
const BLOCK = { index: 0, key_id: KEY_ID, path: [], sig: SIG, size: 1 };

/** Bytes that no shipped schema reads. */
const UNDECODABLE: readonly (readonly [name: string, value: BadRecord['value']])[] = [
  ['no bytes', () => Buffer.alloc(0)],
  ['a text', () => Buffer.from('a change, honestly')],
  ['a schema that this version does not ship', ({ genuine }) => withFingerprint(genuine, 0xff)],
  ['no schema at all', ({ genuine }) => withFingerprint(genuine, 0)],
  ['another envelope under the id of this one', ({ genuine, codec }) => withIdOf(edge(codec), genuine)],
  ['only a header', ({ genuine }) => genuine.subarray(0, HEADER_SIZE)],
  ['a record that was cut off', ({ genuine }) => genuine.subarray(0, genuine.length - 7)],
  ['bytes after the record', ({ genuine }) => Buffer.concat([genuine, Buffer.from('more')])],
  ['another envelope', ({ codec }) => edge(codec)],
  [
    'a length of 2^40 bytes',
    ({ genuine }) => Buffer.concat([genuine.subarray(0, HEADER_SIZE), Buffer.from('8080808080404040', 'hex')]),
  ],
];

/** An envelope whose body is no change. */
const BODIES: readonly (readonly [
  name: string,
  code: string,
  body: (context: RecordContext) => string | Uint8Array,
])[] = [
  ['a body that is no JSON', 'CLY_JSON_SYNTAX', () => 'a change'],
  ['a body with white space', 'CLY_JSON_NOT_CANONICAL', (context) => ` ${window(context)}`],
  ['a name twice', 'CLY_JSON_DUPLICATE_NAME', () => '{"v":0,"v":0}'],
  ['broken UTF-8', 'CLY_JSON_UTF8', () => Buffer.from('7b2261223a22ff227d', 'hex')],
  ['a fraction', 'CLY_JSON_NUMBER', () => '{"v":0.5}'],
  ['a list', 'CLY_JSON_NOT_OBJECT', () => '[]'],
  ['a name in capitals', 'CLY_JSON_NAME', () => '{"Kind":"x"}'],
  ['33 levels', 'CLY_JSON_DEPTH', () => `${'{"a":'.repeat(33)}1${'}'.repeat(33)}`],
  ['a kind that does not exist', 'CLY_RECORD_SHAPE', (context) => window(context, { kind: 'change.wished' })],
  ['a member too many', 'CLY_RECORD_SHAPE', (context) => window(context, { more: 1 })],
  ['another version', 'CLY_RECORD_SHAPE', (context) => window(context, { v: 1 })],
  ['a body over 32 KiB', 'CLY_RECORD_SHAPE', (context) => window(context, { more: 'x'.repeat(CHANGE_BYTES_MAX) })],
];

/** Every record of these is answered in its place, and the partition moves on. */
export const BAD_RECORDS: readonly BadRecord[] = [
  { name: 'a tombstone', code: 'CLY_RECORD_EMPTY', becomes: 'poisoned', value: () => null },
  ...UNDECODABLE.map(
    ([name, value]): BadRecord => ({ name, value, code: 'CLY_SCHEMA_UNDECODABLE', becomes: 'poisoned' }),
  ),
  ...BODIES.map(
    ([name, code, body]): BadRecord => ({
      name,
      code,
      becomes: 'poisoned',
      value: (context) => envelope(context, { body: Buffer.from(body(context)) }),
    }),
  ),
  {
    name: 'an envelope for another tenant than its body',
    code: 'CLY_RECORD_ROUTING',
    becomes: 'poisoned',
    value: (context) => envelope(context, { tenant: 'rival' }),
  },
  {
    name: 'a signature that is no block',
    code: 'CLY_RECORD_SIGNATURE_SHAPE',
    becomes: 'poisoned',
    value: (context) => envelope(context, { signature: encodeRecord({ sig: 'x' }) }),
  },
  {
    name: 'a cut that no intake signed',
    code: 'CLY_CHANGE_SIGNATURE',
    becomes: 'blocked',
    value: (context) => envelope(context, {}),
  },
  {
    name: 'a cut for a tenant that is not open',
    code: 'CLY_TENANT_UNKNOWN',
    becomes: 'blocked',
    value: (context) => envelope({ ...context, tenant: 'ghost' }, {}),
  },
  {
    name: 'the partition opened again',
    code: 'CLY_STREAM_EXISTS',
    becomes: 'blocked',
    value: streamOpenedAgain,
  },
];

/** Records on clyra.observations that can enter no tenant's log. */
export const BAD_OBSERVATIONS: readonly Omit<BadRecord, 'becomes'>[] = [
  { name: 'a tombstone', code: 'CLY_RECORD_EMPTY', value: () => null },
  { name: 'a text', code: 'CLY_SCHEMA_UNDECODABLE', value: () => Buffer.from('it happened') },
  { name: 'a change among observations', code: 'CLY_SCHEMA_UNDECODABLE', value: ({ genuine }) => genuine },
  {
    name: 'a schema that this version does not ship',
    code: 'CLY_SCHEMA_UNDECODABLE',
    value: ({ genuine }) => withFingerprint(genuine, 0xfe),
  },
];

function streamOpenedAgain(context: RecordContext): Uint8Array {
  const stream = { stream_id: '0'.repeat(32), partition: 0, partition_count: 4, previous_stream: null };
  const { number: _, ...common } = windowBody({ ...context, tenant: '_partition' });
  const body = encodeRecord({ ...common, kind: 'stream.opened', ...stream });
  return envelope(context, { body, tenant: '_partition', kind: 'stream.opened' });
}

function withFingerprint(value: Uint8Array, byte: number): Uint8Array {
  return Buffer.from(value).fill(byte, ID_END, HEADER_SIZE);
}

function withIdOf(value: Uint8Array, other: Uint8Array): Uint8Array {
  return Buffer.concat([other.subarray(0, ID_END), value.subarray(ID_END)]);
}

function edge(codec: RecordContext['codec']): Uint8Array {
  return codec.encode('EdgeEnvelope', { body: Buffer.from('{}') });
}

function windowBody({ tenant, nowMs }: RecordContext): JsonObject {
  const intake = { instance: 'intake-1', epoch: 1 };
  return { v: 0, kind: 'window.closed', tenant, event_id: EVENT_ID, intake, intake_at: nowMs, number: 1 };
}

function window(context: RecordContext, members: JsonObject = {}): string {
  return Buffer.from(encodeRecord({ ...windowBody(context), ...members })).toString('utf8');
}

function envelope(context: RecordContext, members: Partial<Envelopes['ChangeEnvelope']>): Uint8Array {
  const { codec, tenant } = context;
  const body = encodeRecord(windowBody(context));
  const signature = encodeRecord(BLOCK);
  return codec.encode('ChangeEnvelope', {
    body,
    signature,
    tenant,
    kind: 'window.closed',
    event_id: EVENT_ID,
    ...members,
  });
}
