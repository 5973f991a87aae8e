// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { formatLsn } from './lsn.ts';
import { decodePgoutput } from './pgoutput-decoder.ts';
import { encode } from './test-support/pgoutput-encoder.ts';

/** What PostgreSQL 15.18 sent for one small transaction (`pg_logical_slot_get_binary_changes`). */
const CAPTURED = {
  begin: '42000000000bb08790000303ef941d87010000a318',
  type: '59000040207075626c6963006d6f6f6400',
  relation:
    '52000040237075626c6963006163636f756e74006400030169640000000017ffffffff006e6f74650000000019ffffffff006d0000004020ffffffff',
  insert: '49000040234e0003740000000131740000000566697273746e',
  updateUnchangedToast: '55000040234e00037400000001327574000000026f6b',
  updateKey: '55000040234b00037400000001316e6e4e0003740000000133740000000566697273746e',
  message: '4d01000000000bb08750636c7972610000000007746f6b656e2d31',
  delete: '44000040234b00037400000001336e6e',
  commit: '4300000000000bb08790000000000bb087c0000303ef941d8701',
  truncate: '54000000010300004023',
  nonTransactional: '4d00000000000bb09500636c79726100000000076f757473696465',
} as const;

const decodeHex = (hex: string): ReturnType<typeof decodePgoutput> => decodePgoutput(Buffer.from(hex, 'hex'));
/** 0x303ef941d8701 microseconds after 2000-01-01, rounded down. */
const CAPTURED_COMMIT_TIME_MS = Date.UTC(2000, 0, 1) + 848_752_447_162;
const COMMIT_TIME_MS = 1_795_000_000_001;

describe('decodePgoutput, on bytes of a real server', () => {
  it('reads begin and commit with the same position and the end after it', () => {
    const begin = decodeHex(CAPTURED.begin);
    const commit = decodeHex(CAPTURED.commit);
    expect(begin).toMatchObject({ kind: 'begin', finalLsn: 0xbb08790n, xid: 41752 });
    expect(commit).toMatchObject({ kind: 'commit', commitLsn: 0xbb08790n, endLsn: 0xbb087c0n });
    expect(formatLsn(0xbb087c0n)).toBe('0/BB087C0');
    expect(begin).toHaveProperty('commitTimeMs', CAPTURED_COMMIT_TIME_MS);
    expect(commit).toHaveProperty('commitTimeMs', CAPTURED_COMMIT_TIME_MS);
  });

  it('reads relation and type descriptions', () => {
    expect(decodeHex(CAPTURED.type)).toEqual({ kind: 'type', typeOid: 16416, schema: 'public', name: 'mood' });
    expect(decodeHex(CAPTURED.relation)).toEqual({
      kind: 'relation',
      relationOid: 16419,
      schema: 'public',
      name: 'account',
      replicaIdentity: 'd',
      columns: [
        { name: 'id', isKey: true, typeOid: 23, typeModifier: -1 },
        { name: 'note', isKey: false, typeOid: 25, typeModifier: -1 },
        { name: 'm', isKey: false, typeOid: 16416, typeModifier: -1 },
      ],
    });
  });

  it.each([
    ['insert', CAPTURED.insert, 'none', 'first'],
    ['update', CAPTURED.updateUnchangedToast, 'none', 'ok'],
    ['update', CAPTURED.updateKey, 'key', 'first'],
    ['delete', CAPTURED.delete, 'key', '3'],
  ])('reads a row of %s without parsing its values', (kind, hex, oldTuple, held) => {
    const message = decodeHex(hex);
    expect(message).toMatchObject({ kind, relationOid: 16419, oldTuple });
    expect(message).toHaveProperty('body', Buffer.from(hex, 'hex').subarray(5));
    expect(Buffer.from(hex, 'hex').includes(held)).toBe(true);
  });

  it('reads logical messages of both kinds', () => {
    expect(decodeHex(CAPTURED.message)).toEqual({
      kind: 'message',
      transactional: true,
      lsn: 0xbb08750n,
      prefix: 'clyra',
      content: Buffer.from('token-1'),
    });
    expect(decodeHex(CAPTURED.nonTransactional)).toMatchObject({ transactional: false, prefix: 'clyra' });
  });

  it('reads the flags of a truncate', () => {
    expect(decodeHex(CAPTURED.truncate)).toEqual({
      kind: 'truncate',
      cascade: true,
      restartIdentity: true,
      relationOids: [16419],
    });
  });

  it.each(Object.entries(CAPTURED))('refuses %s cut off anywhere, or with a byte too many', (_name, hex) => {
    const whole = Buffer.from(hex, 'hex');
    const malformed = expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_MALFORMED', retry: 'never' });
    for (let sizeBytes = 1; sizeBytes < whole.length; sizeBytes += 1) {
      expect(() => decodePgoutput(whole.subarray(0, sizeBytes))).toThrow(malformed);
    }
    expect(() => decodePgoutput(Buffer.concat([whole, Buffer.alloc(1)]))).toThrow(malformed);
  });
});

describe('decodePgoutput, at the edges of the protocol', () => {
  it('keeps transaction ids and oids above 2^31 positive', () => {
    expect(decodePgoutput(encode.begin({ finalLsn: 1n, commitTimeMs: COMMIT_TIME_MS, xid: 0xffff_fffe }))).toEqual({
      kind: 'begin',
      finalLsn: 1n,
      commitTimeMs: COMMIT_TIME_MS,
      xid: 4_294_967_294,
    });
    expect(decodePgoutput(encode.truncate([0xf000_0000], 0))).toMatchObject({ relationOids: [4_026_531_840] });
  });

  it('keeps positions above 2^53 exact', () => {
    const endLsn = 0xffff_ffff_ffff_fff8n;
    const commit = encode.commit({ commitLsn: endLsn - 0x30n, endLsn, commitTimeMs: COMMIT_TIME_MS });
    expect(decodePgoutput(commit)).toMatchObject({ endLsn });
  });

  it('writes out the schema that the wire leaves empty', () => {
    const fields = { relationOid: 1, schema: '', name: 'pg_class', replicaIdentity: 'n', columns: [] };
    expect(decodePgoutput(encode.relation(fields))).toMatchObject({ schema: 'pg_catalog', name: 'pg_class' });
  });

  it('reads an origin', () => {
    expect(decodePgoutput(encode.origin({ originLsn: 5n, name: 'élan' }))).toEqual({
      kind: 'origin',
      originLsn: 5n,
      name: 'élan',
    });
  });

  it.each(['S', 'E', 'c', 'A', 'b', 'P', 'K', 'r', 'p', 'Z', '\0'])(
    'refuses type %j, which version 1 does not have',
    (type) => {
      expect(() => decodePgoutput(Buffer.from(`${type}0123456789`))).toThrow(
        expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_UNKNOWN', retry: 'never' }),
      );
    },
  );

  it('refuses an empty message', () => {
    expect(() => decodePgoutput(Buffer.alloc(0))).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_UNKNOWN' }),
    );
  });

  it.each([
    ['an insert with an old tuple', 'I', 'K'],
    ['a delete with a new tuple', 'D', 'N'],
    ['an update with an unknown tuple', 'U', 'X'],
  ])('refuses %s', (_name, type, tupleKind) => {
    const bytes = Buffer.concat([Buffer.from(type), Buffer.alloc(4), Buffer.from(tupleKind), Buffer.alloc(2)]);
    expect(() => decodePgoutput(bytes)).toThrow(expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_MALFORMED' }));
  });

  it('refuses an unknown column marker and a negative size', () => {
    const insert = (column: Buffer): Buffer =>
      Buffer.concat([Buffer.from('I'), Buffer.alloc(4), Buffer.from('N\0\x01', 'latin1'), column]);
    const malformed = expect.objectContaining({ code: 'CLY_SOURCE_MESSAGE_MALFORMED' });
    expect(() => decodePgoutput(insert(Buffer.from('x')))).toThrow(malformed);
    expect(() => decodePgoutput(insert(Buffer.from('74ffffffff', 'hex')))).toThrow(malformed);
  });
});
