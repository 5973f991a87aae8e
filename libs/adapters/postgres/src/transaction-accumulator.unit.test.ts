// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { CommittedTransaction } from './committed-transaction.ts';
import { decodePgoutput } from './pgoutput-decoder.ts';
import { encode, type TupleColumn, tupleBytes, u8, u16, u32 } from './test-support/pgoutput-encoder.ts';
import { type AccumulatorLimits, TransactionAccumulator } from './transaction-accumulator.ts';

const KEY_BYTES = Buffer.alloc(32, 0x5a);
const AT_MS = 1_795_000_000_000;
const ORDERS = { relationOid: 10, schema: 'shop', name: 'orders', columns: ['id', 'note'] };
const LINES = { relationOid: 11, schema: 'shop', name: 'lines', columns: ['id'] };

const text = (value: string): TupleColumn => ({ marker: 't', value: Buffer.from(value) });
const describeRelation = (relation: typeof ORDERS): Buffer =>
  encode.relation({
    ...relation,
    replicaIdentity: 'd',
    columns: relation.columns.map((name) => ({ name, isKey: name === 'id', typeOid: 25 })),
  });
const BEGIN = encode.begin({ finalLsn: 0x100n, commitTimeMs: AT_MS, xid: 0x8000_0001 });
const COMMIT = encode.commit({ commitLsn: 0x100n, endLsn: 0x130n, commitTimeMs: AT_MS });
const message = (prefix: string, content: string, transactional = true): Buffer =>
  encode.message({ transactional, lsn: 0x90n, prefix, content: Buffer.from(content) });
const sha256Hex = (content: string): string => createHash('sha256').update(content).digest('hex');

function accumulator(limits: Partial<AccumulatorLimits> = {}): TransactionAccumulator {
  return new TransactionAccumulator({
    systemId: '7711341325038198067',
    timeline: 1,
    digestKey: createSecretKey(KEY_BYTES),
    limits,
  });
}

function feed(into: TransactionAccumulator, messages: readonly Buffer[]): CommittedTransaction[] {
  return messages.flatMap((bytes) => into.accept(decodePgoutput(bytes)) ?? []);
}

/** The framing of the docstring of RowsDigest, written down once more. */
const framedText = (value: string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const relationFrame = (relation: typeof ORDERS): Buffer =>
  Buffer.concat([
    Buffer.from('R'),
    framedText(relation.schema),
    framedText(relation.name),
    u16(relation.columns.length),
    ...relation.columns.map(framedText),
  ]);
const digestOf = (...frames: readonly Buffer[]): string =>
  createHmac('sha256', KEY_BYTES)
    .update(Buffer.concat([Buffer.from('clyra.rows.v1\0'), ...frames]))
    .digest('hex');

describe('schema changes and foreign types', () => {
  const ddl = (tag: string, objects: readonly object[], more: object = {}): Buffer =>
    message('clyra.ddl', JSON.stringify({ tag, objects, ...more }));
  const ordersTable = { schema: 'shop', name: 'orders' };

  it('counts announced schema changes for their relations, without a row or a relation message', () => {
    const messages = [
      BEGIN,
      ddl('ALTER TABLE', [ordersTable, { schema: null, name: null }]),
      ddl('CREATE INDEX', [ordersTable], { statement: 'a digest' }),
      message('clyra.ddl', '{"tag": "drop everything"}'),
      message('clyra.ddl', 'not json'),
      COMMIT,
    ];
    const [transaction] = feed(accumulator(), messages);
    expect(transaction?.relations).toMatchObject([
      { ...ordersTable, operations: { insert: 0, update: 0, delete: 0, truncate: 0 }, ddlCount: 2 },
    ]);
    expect(transaction?.ddl).toMatchObject({
      count: 4,
      tags: [
        { tag: '*', count: 2 },
        { tag: 'ALTER TABLE', count: 1 },
        { tag: 'CREATE INDEX', count: 1 },
      ],
    });
    const contents = messages.slice(1, -1).map((bytes) => bytes.subarray(bytes.indexOf('clyra.ddl\0') + 10));
    const expected = createHmac('sha256', KEY_BYTES).update(
      Buffer.concat([Buffer.from('clyra.ddl.v1\0'), ...contents]),
    );
    expect(transaction?.ddl?.digest).toBe(expected.digest('hex'));
  });

  it('lists at most sixteen tags, and every schema change beyond the relation limit under the rest', () => {
    const changes = Array.from({ length: 40 }, (_, index) =>
      ddl(`TAG ${String.fromCharCode(65 + (index % 26))}`, [{ schema: 'shop', name: `table_${index}` }]),
    );
    const [transaction] = feed(accumulator({ relationsMax: 2 }), [BEGIN, ...changes, COMMIT]);
    expect(transaction?.ddl?.tags).toHaveLength(16);
    expect(transaction?.ddl?.tags.reduce((sum, { count }) => sum + count, 0)).toBe(40);
    expect(transaction?.relations.map(({ ddlCount }) => ddlCount)).toEqual([1, 1]);
    expect(transaction?.unlisted?.ddlCount).toBe(38);
  });

  it('names the types of changed columns that are not the server’s own', () => {
    const into = accumulator();
    const typed = (oid: number): Buffer =>
      encode.relation({
        ...ORDERS,
        replicaIdentity: 'd',
        columns: ORDERS.columns.map((name, index) => ({ name, isKey: index === 0, typeOid: index === 0 ? 23 : oid })),
      });
    const mood = encode.type({ typeOid: 16_400, schema: 'shop', name: 'mood' });
    const row = encode.insert(10, [text('1'), text('sad')]);
    const [first, second] = feed(into, [BEGIN, mood, typed(16_400), row, COMMIT, BEGIN, row, COMMIT]);
    expect(first?.unknownTypes).toEqual(['shop.mood']);
    // The server describes a relation once for a connection, and its rows keep their types.
    expect(second?.unknownTypes).toEqual(['shop.mood']);
    const [third] = feed(into, [BEGIN, typed(25), row, COMMIT]);
    expect(third).not.toHaveProperty('unknownTypes');
  });
});

describe('TransactionAccumulator', () => {
  it('folds one transaction with every operation into counts and documented digests', () => {
    const row = [text('1'), text('first')];
    const changed = [text('1'), { marker: 'u' } as const];
    const key = { kind: 'K' as const, columns: [text('1'), { marker: 'n' } as const] };
    const [transaction] = feed(accumulator(), [
      BEGIN,
      encode.origin({ originLsn: 1n, name: 'elsewhere' }),
      describeRelation(ORDERS),
      encode.insert(10, row),
      describeRelation(LINES),
      encode.insert(11, [text('9')]),
      encode.update(10, changed),
      encode.update(10, changed, key),
      encode.delete(10, key),
      encode.truncate([10, 11], 3),
      COMMIT,
    ]);
    expect(transaction).toEqual({
      systemId: '7711341325038198067',
      timeline: 1,
      commitEndLsn: '0/130',
      commitLsn: '0/100',
      xid: 2_147_483_649,
      commitTimeMs: AT_MS,
      origin: 'elsewhere',
      relations: [
        {
          schema: 'shop',
          name: 'lines',
          operations: { insert: 1, update: 0, delete: 0, truncate: 1 },
          rowsDigest: digestOf(
            relationFrame(LINES),
            Buffer.concat([Buffer.from('IN'), tupleBytes([text('9')])]),
            Buffer.concat([Buffer.from('T'), u8(3)]),
          ),
        },
        {
          schema: 'shop',
          name: 'orders',
          operations: { insert: 1, update: 2, delete: 1, truncate: 1 },
          rowsDigest: digestOf(
            relationFrame(ORDERS),
            Buffer.concat([Buffer.from('IN'), tupleBytes(row)]),
            Buffer.concat([Buffer.from('UN'), tupleBytes(changed)]),
            Buffer.concat([Buffer.from('UK'), tupleBytes(key.columns), Buffer.from('N'), tupleBytes(changed)]),
            Buffer.concat([Buffer.from('DK'), tupleBytes(key.columns)]),
            Buffer.concat([Buffer.from('T'), u8(3)]),
          ),
        },
      ],
      unlisted: null,
      messages: [],
      messageCounts: { clyra: 0, executionToken: 0, other: 0 },
      executionTokenHashes: [],
    });
  });

  it('tells null, unchanged, empty and moved column borders apart', () => {
    const rows: TupleColumn[][] = [
      [{ marker: 'n' }, text('a')],
      [{ marker: 'u' }, text('a')],
      [text(''), text('a')],
      [text('a'), text('')],
      [{ marker: 'b', value: Buffer.from('') }, text('a')],
    ];
    const digests = rows.map((row) => {
      const [transaction] = feed(accumulator(), [BEGIN, describeRelation(ORDERS), encode.insert(10, row), COMMIT]);
      return transaction?.relations[0]?.rowsDigest;
    });
    expect(new Set(digests).size).toBe(rows.length);
  });

  it('records tokens by hash, clyra messages by digest, and others by count alone', () => {
    const transactions = feed(accumulator(), [
      message('clyra', 'outside', false),
      BEGIN,
      message('clyra', 'token-1'),
      message('clyra', 'inside but not transactional', false),
      message('clyra.ddl', '{"tag":"ALTER TABLE"}'),
      message('clyrax', 'somebody else'),
      message('outbox', 'private'),
      message('clyra', 'token-1'),
      COMMIT,
    ]);
    expect(transactions).toHaveLength(1);
    expect(transactions[0]).toMatchObject({
      executionTokenHashes: [sha256Hex('token-1'), sha256Hex('token-1')],
      messages: [
        { prefix: 'clyra', contentSha256Hex: sha256Hex('token-1'), transactional: true },
        { prefix: 'clyra.ddl', contentSha256Hex: sha256Hex('{"tag":"ALTER TABLE"}'), transactional: true },
        { prefix: 'clyra', contentSha256Hex: sha256Hex('token-1'), transactional: true },
      ],
      messageCounts: { clyra: 3, executionToken: 2, other: 2 },
    });
    expect(JSON.stringify(transactions)).not.toContain('token-1');
  });

  it('counts what its limits do not list, and lists the tokens first in line', () => {
    const [transaction] = feed(accumulator({ messagesMax: 1 }), [
      BEGIN,
      message('clyra.ddl', 'x'),
      message('clyra', 'token-1'),
      message('clyra', 'token-2'),
      COMMIT,
    ]);
    expect(transaction?.messages).toHaveLength(1);
    expect(transaction?.executionTokenHashes).toEqual([sha256Hex('token-1')]);
    expect(transaction?.messageCounts).toEqual({ clyra: 3, executionToken: 2, other: 0 });
  });

  it('folds relations beyond the limit into one digest that still names them', () => {
    const [transaction] = feed(accumulator({ relationsMax: 1 }), [
      BEGIN,
      describeRelation(ORDERS),
      describeRelation(LINES),
      encode.insert(10, [text('1'), text('a')]),
      encode.insert(11, [text('2')]),
      encode.insert(10, [text('3'), text('b')]),
      encode.insert(11, [text('4')]),
      COMMIT,
    ]);
    expect(transaction?.relations.map((relation) => [relation.name, relation.operations.insert])).toEqual([
      ['orders', 2],
    ]);
    expect(transaction?.unlisted).toEqual({
      operations: { insert: 2, update: 0, delete: 0, truncate: 0 },
      rowsDigest: digestOf(
        relationFrame(LINES),
        Buffer.concat([Buffer.from('IN'), tupleBytes([text('2')])]),
        Buffer.concat([Buffer.from('IN'), tupleBytes([text('4')])]),
      ),
    });
  });

  it('joins a relation dropped and made again under its name, and marks a changed shape', () => {
    const again = { ...ORDERS, relationOid: 99, columns: ['id', 'remark'] };
    const [transaction] = feed(accumulator(), [
      BEGIN,
      describeRelation(ORDERS),
      encode.insert(10, [text('1'), text('a')]),
      describeRelation(again),
      encode.insert(99, [text('1'), text('a')]),
      COMMIT,
    ]);
    const insert = Buffer.concat([Buffer.from('IN'), tupleBytes([text('1'), text('a')])]);
    expect(transaction?.relations).toEqual([
      {
        schema: 'shop',
        name: 'orders',
        operations: { insert: 2, update: 0, delete: 0, truncate: 0 },
        rowsDigest: digestOf(relationFrame(ORDERS), insert, relationFrame(again), insert),
      },
    ]);
  });

  it.each([
    ['a begin inside a transaction', [BEGIN, BEGIN]],
    ['a commit without a begin', [COMMIT]],
    ['a commit of another transaction', [BEGIN, encode.commit({ commitLsn: 1n, endLsn: 2n, commitTimeMs: AT_MS })]],
    ['a change outside a transaction', [describeRelation(ORDERS), encode.insert(10, [])]],
    ['a truncate outside a transaction', [describeRelation(ORDERS), encode.truncate([10], 0)]],
    ['a transactional message outside a transaction', [message('clyra', 'x')]],
    ['an undescribed relation', [BEGIN, encode.insert(10, [])]],
  ])('refuses %s', (_name, messages) => {
    expect(() => feed(accumulator(), messages)).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_STREAM_ORDER', retry: 'backoff' }),
    );
  });

  it('limits the relations one connection may describe, and lets a known one change', () => {
    const limited = accumulator({ knownRelationsMax: 1 });
    feed(limited, [describeRelation(ORDERS), describeRelation({ ...ORDERS, name: 'renamed' })]);
    expect(() => feed(limited, [describeRelation(LINES)])).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_RELATION_LIMIT', retry: 'backoff' }),
    );
  });
});
