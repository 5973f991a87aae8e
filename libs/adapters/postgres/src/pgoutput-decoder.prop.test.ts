// SPDX-License-Identifier: Apache-2.0

import { ClyraError } from '@clyra/core/kernel/error';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodePgoutput } from './pgoutput-decoder.ts';
import { encode, type TupleColumn, tupleBytes } from './test-support/pgoutput-encoder.ts';

const oid = fc.nat({ max: 0xffff_ffff });
const lsn = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
/** Around the numbers that a double no longer holds, and where the sign begins. */
const edges = [0n, 1n << 32n, 1n << 53n, 1n << 63n].flatMap((edge) => [edge - 1n, edge, edge + 1n]);
const eightBytes = fc.oneof(
  lsn,
  fc.bigInt({ min: 0n, max: 1n << 54n }),
  fc.constantFrom(...edges.filter((edge) => edge >= 0n)),
);
const timeMs = fc.integer({ min: 946_684_800_000, max: 4_102_444_800_000 });
const name = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0') && text.isWellFormed());
const bytes = fc.uint8Array({ maxLength: 40 }).map((content) => Buffer.from(content));
const column: fc.Arbitrary<TupleColumn> = fc.oneof(
  fc.constantFrom<TupleColumn>({ marker: 'n' }, { marker: 'u' }),
  fc.record({ marker: fc.constantFrom<'t' | 'b'>('t', 'b'), value: bytes }),
);
const tuple = fc.array(column, { maxLength: 8 });
const oldTuple = fc.record({ kind: fc.constantFrom<'K' | 'O'>('K', 'O'), columns: tuple });

describe('decodePgoutput', () => {
  it('gives back every field of begin, commit, origin, type and message', () => {
    fc.assert(
      fc.property(lsn, lsn, timeMs, oid, name, bytes, fc.boolean(), (a, b, at, number, text, content, flag) => {
        expect(decodePgoutput(encode.begin({ finalLsn: a, commitTimeMs: at, xid: number }))).toEqual({
          kind: 'begin',
          finalLsn: a,
          commitTimeMs: at,
          xid: number,
        });
        const commit = { commitLsn: a, endLsn: b, commitTimeMs: at };
        expect(decodePgoutput(encode.commit(commit))).toEqual({ kind: 'commit', ...commit });
        const origin = { originLsn: a, name: text };
        expect(decodePgoutput(encode.origin(origin))).toEqual({ kind: 'origin', ...origin });
        const message = { transactional: flag, lsn: a, prefix: text, content };
        expect(decodePgoutput(encode.message(message))).toEqual({ kind: 'message', ...message });
      }),
    );
  });

  it('reads positions and times as arithmetic without limits does', () => {
    fc.assert(
      fc.property(eightBytes, eightBytes, (finalLsn, microseconds) => {
        const bytes = encode.begin({ finalLsn, commitTimeMs: 946_684_800_000, xid: 1 });
        bytes.writeBigUInt64BE(microseconds, 9);
        const commitTimeMs = Number(BigInt.asIntN(64, microseconds) / 1_000n + 946_684_800_000n);
        expect(decodePgoutput(bytes)).toEqual({ kind: 'begin', finalLsn, commitTimeMs, xid: 1 });
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives back relations whatever their names', () => {
    const columns = fc.array(fc.record({ name, isKey: fc.boolean(), typeOid: oid }), { maxLength: 12 });
    fc.assert(
      fc.property(oid, name, name, columns, (relationOid, schema, relation, described) => {
        const fields = { relationOid, schema, name: relation, replicaIdentity: 'f', columns: described };
        expect(decodePgoutput(encode.relation(fields))).toEqual({
          kind: 'relation',
          ...fields,
          schema: schema === '' ? 'pg_catalog' : schema,
          columns: described.map((each) => ({ ...each, typeModifier: -1 })),
        });
      }),
    );
  });

  it('keeps the raw bytes of every tuple, old and new', () => {
    fc.assert(
      fc.property(oid, tuple, fc.option(oldTuple, { nil: undefined }), (relationOid, columns, old) => {
        const update = decodePgoutput(encode.update(relationOid, columns, old));
        const oldBytes = old === undefined ? [] : [Buffer.from(old.kind), tupleBytes(old.columns)];
        const oldKind = old === undefined ? 'none' : old.kind === 'K' ? 'key' : 'full';
        expect(update).toEqual({
          kind: 'update',
          relationOid,
          oldTuple: oldKind,
          body: Buffer.concat([...oldBytes, Buffer.from('N'), tupleBytes(columns)]),
        });
        expect(decodePgoutput(encode.insert(relationOid, columns))).toMatchObject({ kind: 'insert', relationOid });
        if (old !== undefined) {
          expect(decodePgoutput(encode.delete(relationOid, old))).toMatchObject({ kind: 'delete', oldTuple: oldKind });
        }
      }),
    );
  });

  it('reads a message behind others as it reads it alone', () => {
    fc.assert(
      fc.property(bytes, oid, tuple, oldTuple, (before, relationOid, columns, old) => {
        const alone = [
          encode.update(relationOid, columns, old),
          encode.delete(relationOid, old),
          encode.truncate([1], 3),
        ];
        for (const message of alone) {
          const behind = Buffer.concat([before, message]);
          expect(decodePgoutput(behind, before.length)).toEqual(decodePgoutput(message));
          const cut = behind.subarray(0, -1);
          expect(() => decodePgoutput(cut, before.length)).toThrow(ClyraError);
        }
      }),
    );
  });

  it('answers any bytes with a message or a coded error', () => {
    const typed = fc
      .tuple(fc.constantFrom(...'BCORYIUDTM'), bytes)
      .map(([type, rest]) => Buffer.concat([Buffer.from(type), rest]));
    fc.assert(
      fc.property(fc.oneof(bytes, typed), (input) => {
        try {
          expect(decodePgoutput(input).kind).toBeDefined();
        } catch (error) {
          expect(error).toBeInstanceOf(ClyraError);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});
