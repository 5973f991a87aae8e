// SPDX-License-Identifier: Apache-2.0
import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CommittedTransaction } from './committed-transaction.ts';
import { decodePgoutput } from './pgoutput-decoder.ts';
import { encode, type TupleColumn } from './test-support/pgoutput-encoder.ts';
import { TransactionAccumulator } from './transaction-accumulator.ts';

type Change = { readonly operation: 'I' | 'U' | 'D' | 'T'; readonly relation: number; readonly value: string };

const RELATION_COUNT = 3;
const AT_MS = 1_795_000_000_000;
const change: fc.Arbitrary<Change> = fc.record({
  operation: fc.constantFrom('I', 'U', 'D', 'T'),
  relation: fc.nat({ max: RELATION_COUNT - 1 }),
  value: fc.string({ maxLength: 6 }),
});
const history = fc.array(fc.array(change, { maxLength: 12 }), { minLength: 1, maxLength: 6 });

const describeRelation = (relation: number): Buffer =>
  encode.relation({
    relationOid: relation + 1,
    schema: 's',
    name: `t${relation}`,
    replicaIdentity: 'f',
    columns: [{ name: 'v', isKey: true, typeOid: 25 }],
  });

function changeBytes({ operation, relation, value }: Change): Buffer {
  const columns: TupleColumn[] = [{ marker: 't', value: Buffer.from(value) }];
  const old = { kind: 'O' as const, columns };
  switch (operation) {
    case 'I':
      return encode.insert(relation + 1, columns);
    case 'U':
      return encode.update(relation + 1, columns, old);
    case 'D':
      return encode.delete(relation + 1, old);
    default:
      return encode.truncate([relation + 1], 0);
  }
}

/** Describes each relation before its first change, and again wherever `describesAgain` says so. */
function wire(transactions: readonly (readonly Change[])[], describesAgain: () => boolean, firstIndex = 0): Buffer[] {
  const described = new Set<number>();
  return transactions.flatMap((changes, offset) => {
    const index = firstIndex + offset;
    const commitLsn = BigInt(index + 1) * 0x100n;
    return [
      encode.begin({ finalLsn: commitLsn, commitTimeMs: AT_MS + index, xid: index }),
      ...changes.flatMap((each) => {
        const needsDescription = !described.has(each.relation) || describesAgain();
        described.add(each.relation);
        return needsDescription ? [describeRelation(each.relation), changeBytes(each)] : [changeBytes(each)];
      }),
      encode.commit({ commitLsn, endLsn: commitLsn + 0x30n, commitTimeMs: AT_MS + index }),
    ];
  });
}

function fold(messages: readonly Buffer[], keyByte = 1): CommittedTransaction[] {
  const accumulator = new TransactionAccumulator({
    systemId: '1',
    timeline: 1,
    digestKey: createSecretKey(Buffer.alloc(32, keyByte)),
  });
  // One buffer for all messages, as on the socket: nothing of a view may be kept.
  const received = Buffer.alloc(4_096);
  return messages.flatMap((bytes) => {
    received.fill(0xee);
    bytes.copy(received);
    return accumulator.accept(decodePgoutput(received.subarray(0, bytes.length))) ?? [];
  });
}

describe('TransactionAccumulator', () => {
  it('gives the same transactions wherever the server repeats its descriptions', () => {
    fc.assert(
      fc.property(history, fc.infiniteStream(fc.boolean()), (transactions, again) => {
        const once = fold(wire(transactions, () => false));
        expect(once).toHaveLength(transactions.length);
        expect(fold(wire(transactions, () => again.next().value === true))).toEqual(once);
      }),
    );
  });

  it('gives the same transaction again after a connection that was cut anywhere', () => {
    fc.assert(
      fc.property(history, fc.nat(), (transactions, seed) => {
        const messages = wire(transactions, () => false);
        const cutIndex = seed % (messages.length + 1);
        const firstConnection = fold(messages.slice(0, cutIndex));
        const confirmedCount = firstConnection.length;
        const secondConnection = fold(wire(transactions.slice(confirmedCount), () => false, confirmedCount));
        expect([...firstConnection, ...secondConnection]).toEqual(fold(messages));
      }),
    );
  });

  it('counts exactly the changes of each relation', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const [transaction] = fold(wire([changes], () => false));
        const expected = [0, 1, 2]
          .map((relation) => {
            const count = (operation: Change['operation']): number =>
              changes.filter((each) => each.relation === relation && each.operation === operation).length;
            const operations = { insert: count('I'), update: count('U'), delete: count('D'), truncate: count('T') };
            return { name: `t${relation}`, operations };
          })
          .filter(({ name }) => changes.some((each) => `t${each.relation}` === name));
        expect(transaction?.relations.map(({ name, operations }) => ({ name, operations }))).toEqual(expected);
      }),
    );
  });

  it('gives other digests for another order, another value or another key', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 6 }), fc.string({ maxLength: 6 }), (left, right) => {
        fc.pre(left !== right);
        const insert = (value: string): Change => ({ operation: 'I', relation: 0, value });
        const digests = [
          fold(wire([[insert(left), insert(right)]], () => false)),
          fold(wire([[insert(right), insert(left)]], () => false)),
          fold(wire([[insert(left), insert(left)]], () => false)),
          fold(
            wire([[insert(left), insert(right)]], () => false),
            2,
          ),
        ].map(([transaction]) => transaction?.relations[0]?.rowsDigest);
        expect(new Set(digests).size).toBe(4);
      }),
    );
  });
});
