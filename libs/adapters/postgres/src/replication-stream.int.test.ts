// SPDX-License-Identifier: Apache-2.0
import { createHash, createHmac } from 'node:crypto';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CommittedTransaction } from './committed-transaction.ts';
import { compareLsn } from './lsn.ts';
import { openSqlClient, type SqlClient } from './sql-client.ts';
import { type TupleColumn, tupleBytes, u16, u32 } from './test-support/pgoutput-encoder.ts';
import { DIGEST_KEY_BYTES, type RecordingStream, recordStream, until } from './test-support/recording-stream.ts';
import { type ScratchPostgres, startScratchPostgres } from './test-support/scratch-postgres.ts';

/** The long run asks for a million. */
const ROWS = Number(process.env['CLYRA_INT_TRANSACTION_ROWS'] ?? 200_000);
const LARGE_DEADLINE_MS = 120_000;
const SLOT = 'clyra_stream';
const PUBLICATION = 'clyra_stream';
const TOKEN = '7f0c2f4be05a4bd7a4f0';
const TABLES = `
  create table account (id int primary key, note text, balance numeric);
  create table line (id int primary key);
  create table event (id int, region text, primary key (id, region)) partition by list (region);
  create table event_eu partition of event for values in ('eu');
  create table event_us partition of event for values in ('us');
  alter table account alter note set storage external;
  create table unpublished (id int);
  create type mood as enum ('sad', 'glad');
  create domain short_text as text;
  create table feeling (id int primary key, mood mood, remark short_text, at tstzrange, tags text[]);
  create publication ${PUBLICATION} for table account, line, event, feeling`;

let server: ScratchPostgres;
let sql: SqlClient;
let recording: RecordingStream;

beforeAll(async () => {
  server = await startScratchPostgres();
  sql = openSqlClient({ connection: server.connection });
  await sql.query(TABLES);
});

afterAll(async () => {
  await sql.close();
  await server.stop();
});

beforeEach(async () => {
  await sql.query('truncate account, line, event');
  await sql.query(`select pg_create_logical_replication_slot($1, 'pgoutput')`, [SLOT]);
  recording = await open();
});

afterEach(async () => {
  await recording.stream.close();
  await sql.query('select pg_drop_replication_slot($1)', [SLOT]);
});

function open(): Promise<RecordingStream> {
  return recordStream({ connection: server.connection, slot: SLOT, publication: PUBLICATION });
}

async function received(count: number): Promise<readonly CommittedTransaction[]> {
  await until(`${count} transactions`, () => recording.transactions.length >= count);
  return recording.transactions;
}

const emit = (prefix: string, content: string, transactional = true): string =>
  `select pg_logical_emit_message(${transactional}, '${prefix}', '${content}')`;
const tokenHash = createHash('sha256').update(TOKEN).digest('hex');
const text = (value: string): TupleColumn => ({ marker: 't', value: Buffer.from(value) });
const framed = (value: string): Buffer => Buffer.concat([u32(Buffer.byteLength(value)), Buffer.from(value)]);
const accountDigest = (...frames: readonly (string | Buffer)[]): string =>
  createHmac('sha256', DIGEST_KEY_BYTES)
    .update('clyra.rows.v1\0R')
    .update(Buffer.concat([framed('public'), framed('account'), u16(3), ...['id', 'note', 'balance'].map(framed)]))
    .update(Buffer.concat(frames.map((frame) => (typeof frame === 'string' ? Buffer.from(frame) : frame))))
    .digest('hex');

describe('a replication stream', () => {
  it('delivers one transaction with the hash of its token and a digest anybody with the key can make', async () => {
    const xid = await sql.transaction(async (session) => {
      await session.query(emit('clyra', TOKEN));
      await session.query(`insert into account values (1, 'first', 1.50), (2, null, null)`);
      return (await session.query<{ xid: string }>('select pg_current_xact_id()::text as xid')).rows[0]?.xid;
    });
    const [transaction] = await received(1);
    expect(transaction).toMatchObject({
      xid: Number(xid),
      timeline: 1,
      systemId: recording.stream.source.system.systemId,
      executionTokenHashes: [tokenHash],
      messages: [{ prefix: 'clyra', contentSha256Hex: tokenHash, transactional: true }],
      messageCounts: { clyra: 1, executionToken: 1, other: 0 },
      relations: [
        {
          schema: 'public',
          name: 'account',
          operations: { insert: 2, update: 0, delete: 0, truncate: 0 },
          rowsDigest: accountDigest(
            'IN',
            tupleBytes([text('1'), text('first'), text('1.50')]),
            'IN',
            tupleBytes([text('2'), { marker: 'n' }, { marker: 'n' }]),
          ),
        },
      ],
    });
    expect(Math.abs((transaction?.commitTimeMs ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(compareLsn(transaction?.commitLsn ?? '', transaction?.commitEndLsn ?? '')).toBeLessThan(0);
  });

  it('believes only messages that commit with their transaction', async () => {
    await sql.transaction(async (session) => {
      await session.query('insert into line values (1)');
      await session.query('savepoint attempt');
      await session.query(emit('clyra', 'rolled back'));
      await session.query('rollback to attempt');
      await session.query(emit('clyra', 'not transactional', false));
      await session.query(emit('other', 'of another program'));
    });
    await expect(
      sql.transaction(async (session) => {
        await session.query(emit('clyra', 'aborted'));
        await session.query('select 1 / 0');
      }),
    ).rejects.toMatchObject({ code: 'CLY_SOURCE_SQL_FAILED', context: { sqlState: '22012' } });
    await sql.query(emit('clyra', TOKEN));
    const transactions = await received(2);
    expect(transactions).toHaveLength(2);
    expect(transactions[0]).toMatchObject({
      executionTokenHashes: [],
      messages: [],
      messageCounts: { clyra: 0, executionToken: 0, other: 1 },
    });
    // A transaction of nothing but its message arrives too.
    expect(transactions[1]).toMatchObject({ relations: [], executionTokenHashes: [tokenHash] });
  });

  it('counts a truncate for each of its relations', async () => {
    await sql.query('insert into line values (1)');
    await sql.query('truncate line, account cascade');
    const truncate = (await received(2))[1];
    expect(truncate?.relations.map(({ name, operations }) => [name, operations.truncate])).toEqual([
      ['account', 1],
      ['line', 1],
    ]);
    expect(truncate?.relations[0]?.rowsDigest).toBe(accountDigest(Buffer.from([0x54, 1])));
  });

  it('names the leaves of a partitioned table, and a moved row on both sides', async () => {
    await sql.query(`insert into event values (1, 'eu'), (2, 'us')`);
    await sql.query(`update event set region = 'us' where id = 1`);
    const [insert, move] = await received(2);
    expect(insert?.relations.map(({ name, operations }) => [name, operations.insert])).toEqual([
      ['event_eu', 1],
      ['event_us', 1],
    ]);
    expect(move?.relations.map(({ name, operations }) => [name, operations])).toEqual([
      ['event_eu', { insert: 0, update: 0, delete: 1, truncate: 0 }],
      ['event_us', { insert: 1, update: 0, delete: 0, truncate: 0 }],
    ]);
  });

  it('delivers a COPY as one transaction with all its rows', async () => {
    await sql.query(`copy line from program 'seq 1 20000'`);
    const [copied] = await received(1);
    expect(copied?.relations).toMatchObject([{ name: 'line', operations: { insert: 20_000 } }]);
  });

  it('digests values of types it does not know, and lists the types', async () => {
    await sql.query(`insert into feeling values (1, 'glad', 'fine', '[2026-01-01,)', '{a,b}')`);
    const [transaction] = await received(1);
    expect(transaction?.unknownTypes).toEqual(['public.mood']);
    expect(transaction?.relations[0]?.rowsDigest).toMatch(/^[0-9a-f]{64}$/);
    await sql.query(`insert into line values (1)`);
    expect((await received(2))[1]).not.toHaveProperty('unknownTypes');
  });

  it('marks a TOAST value the update left alone', async () => {
    await sql.query(`insert into account values (1, repeat('x', 5000), 0)`);
    await sql.query('update account set balance = 7 where id = 1');
    const update = (await received(2))[1];
    expect(update?.relations[0]?.rowsDigest).toBe(
      accountDigest('UN', tupleBytes([text('1'), { marker: 'u' }, text('7')])),
    );
  });

  it('follows a table through changes of its shape and a rebuild', async () => {
    await sql.query(`insert into account values (1, 'a', 1)`);
    await sql.transaction(async (session) => {
      await session.query('alter table account rename note to remark');
      await session.query(`insert into account values (2, 'b', 2)`);
    });
    await sql.query('alter table account rename remark to note');
    await sql.query(`insert into account values (3, 'c', 3)`);
    const transactions = await received(3);
    expect(transactions.map((transaction) => transaction.relations[0]?.name)).toEqual([
      'account',
      'account',
      'account',
    ]);
    const insert = (id: string, note: string): Buffer =>
      Buffer.concat([Buffer.from('IN'), tupleBytes([text(id), text(note), text(id)])]);
    expect(transactions[0]?.relations[0]?.rowsDigest).toBe(accountDigest(insert('1', 'a')));
    expect(transactions[1]?.relations[0]?.rowsDigest).not.toBe(accountDigest(insert('2', 'b')));
    expect(transactions[2]?.relations[0]?.rowsDigest).toBe(accountDigest(insert('3', 'c')));
  });

  it(`keeps its memory while a transaction of ${ROWS} wide rows passes`, async () => {
    // What is garbage but not collected yet depends on the moment; what is held does not.
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const memoryBytes = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const beforeBytes = memoryBytes();
    let mostBytes = beforeBytes;
    const sampler = setInterval(() => {
      mostBytes = Math.max(mostBytes, memoryBytes());
    }, 200);
    try {
      await sql.query(`insert into account select g, repeat('x', 600), g from generate_series(1, ${ROWS}) g`);
      await until('the whole transaction', () => recording.transactions.length === 1, LARGE_DEADLINE_MS);
      expect(recording.transactions[0]?.relations[0]?.operations.insert).toBe(ROWS);
    } finally {
      clearInterval(sampler);
    }
    // 200,000 rows are 125 MB on the wire; a million need no more.
    expect((mostBytes - beforeBytes) / 1e6).toBeLessThan(50);
  }, 180_000);
});

describe('confirmation', () => {
  it('repeats what was not confirmed, equal to the last digit, and nothing that was', async () => {
    await sql.query(emit('clyra', TOKEN));
    await sql.query(`insert into account values (1, 'a', 1)`);
    await sql.query(`insert into line values (1)`);
    const first = [...(await received(3))];
    await recording.stream.close();

    // Text output must not follow the defaults of the role, and the relation is described anew.
    await sql.query(`alter role postgres set extra_float_digits = -15`);
    recording = await open();
    expect(await received(3)).toEqual(first);
    recording.stream.confirm(first[1]?.commitEndLsn ?? '');
    await recording.stream.close();

    recording = await open();
    expect(await received(1)).toEqual(first.slice(2));
    recording.stream.confirm(first[2]?.commitEndLsn ?? '');
    await recording.stream.close();

    recording = await open();
    await sql.query(`insert into line values (2)`);
    const [next] = await received(1);
    expect(compareLsn(next?.commitEndLsn ?? '', first[2]?.commitEndLsn ?? '')).toBeGreaterThan(0);
    await sql.query(`alter role postgres reset extra_float_digits`);
  });

  it('does not lose the commit that begins where the confirmed one ends', async () => {
    const [left, right] = await adjacentCommits();
    expect(right.commitLsn).toBe(left.commitEndLsn);
    recording.stream.confirm(left.commitEndLsn);
    await recording.stream.close();
    recording = await open();
    const delivered = await received(1);
    expect(delivered[0]).toEqual(right);
  });

  it('moves an idle slot only when the caller confirms what a keepalive said', async () => {
    const slotLsn = async (): Promise<string> =>
      (
        await sql.query<{ lsn: string }>(
          'select confirmed_flush_lsn::text as lsn from pg_replication_slots where slot_name = $1',
          [SLOT],
        )
      ).rows[0]?.lsn ?? '';
    await sql.query('insert into line values (1)');
    const [transaction] = await received(1);
    const startLsn = await slotLsn();
    await sql.query('insert into unpublished select generate_series(1, 1000)');
    const written = (await sql.query<{ lsn: string }>('select pg_current_wal_lsn()::text as lsn')).rows[0]?.lsn ?? '';
    const keepaliveCount = recording.keepalives.length;
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    // Something is unconfirmed: no keepalive may be confirmed, so none is passed on.
    expect(recording.keepalives).toHaveLength(keepaliveCount);
    expect(await slotLsn()).toBe(startLsn);

    recording.stream.confirm(transaction?.commitEndLsn ?? '');
    await until('a keepalive beyond the unpublished rows', () =>
      recording.keepalives.some(({ lsn }) => compareLsn(lsn, written) >= 0),
    );
    // The sign of life may have come before the confirmation was sent.
    await until('the slot to be where it was confirmed', async () => (await slotLsn()) === transaction?.commitEndLsn);
    const idle = recording.keepalives.at(-1);
    expect(Math.abs((idle?.serverTimeMs ?? 0) - Date.now())).toBeLessThan(30_000);
    recording.stream.confirm(idle?.lsn ?? '');
    await until('the slot to move', async () => (await slotLsn()) === idle?.lsn);
  });

  it('refuses to confirm what was never delivered', () => {
    expect(() => recording.stream.confirm('FF/0')).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_CONFIRM_AHEAD' }),
    );
  });
});

/** Two transactions whose commit records touch; a background process may write in between, hence the attempts. */
async function adjacentCommits(): Promise<readonly [CommittedTransaction, CommittedTransaction]> {
  for (let attempt = 0; attempt < 10; attempt += 1) {
    const gate = Promise.withResolvers<void>();
    const opened = Promise.withResolvers<void>();
    const second = sql.transaction(async (session) => {
      await session.query('insert into line values ($1)', [attempt * 2 + 1]);
      opened.resolve();
      await gate.promise;
    });
    await opened.promise;
    await sql.transaction((session) => session.query('insert into line values ($1)', [attempt * 2]));
    gate.resolve();
    await second;
    const transactions = await received((attempt + 1) * 2);
    const [left, right] = transactions.slice(-2);
    if (left !== undefined && right !== undefined && left.commitEndLsn === right.commitLsn) {
      return [left, right];
    }
  }
  throw new Error('no two commits were adjacent');
}
