// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { stateDigestOf } from '../evidence/state-artifact.ts';
import { ClyraError } from '../kernel/error.ts';
import { bucketNameOf } from './state-buckets.ts';
import { EXPIRING, expiryOf } from './state-expiry.ts';
import type { StateImage } from './state-image.ts';
import { type StateOp, StateTable } from './state-table.ts';

const key = fc
  .tuple(fc.constantFrom('idem', 'open', 'nonce'), fc.integer({ min: 0, max: 40 }))
  .map(([namespace, id]) => `${namespace}/${id}`);
const op: fc.Arbitrary<StateOp> = fc.oneof(
  fc.record({ op: fc.constant('put' as const), key, value: fc.record({ n: fc.integer(), text: fc.string() }) }),
  fc.record({ op: fc.constant('delete' as const), key }),
);

const STEPS = [{ kind: 'image' }, { kind: 'read' }, { kind: 'digest' }] as const;

function serialized(ops: readonly StateOp[]): string {
  const table = new StateTable();
  table.apply(ops);
  return Buffer.from(table.serialize()).toString('utf8');
}

describe('the state table', () => {
  it('has the digest of what is in it, however it came there', () => {
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), fc.integer({ min: 1, max: 7 }), (ops, every) => {
        const grown = new StateTable();
        ops.forEach((one, index) => {
          grown.apply([one]);
          if (index % every === 0) grown.digest();
        });
        const final = new Map(ops.map((one) => [one.key, one] as const));
        const direct = new StateTable();
        direct.apply([...final.values()].reverse());
        expect(grown.digest()).toBe(direct.digest());
        expect(StateTable.parse(grown.serialize()).digest()).toBe(grown.digest());
        expect(Buffer.from(StateTable.parse(grown.serialize()).serialize())).toEqual(Buffer.from(grown.serialize()));
      }),
    );
  });

  it('has images that what is written later does not change, however much of them was read before', () => {
    const step = fc.oneof(
      op.map((one) => ({ kind: 'apply' as const, one })),
      fc.constantFrom(...STEPS),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100, size: 'max' }), (steps) => {
        const table = new StateTable();
        const model = new Map<string, StateOp & { op: 'put' }>();
        const taken: { image: StateImage; parts: Iterator<readonly string[]>; expected: string }[] = [];
        for (const one of steps) {
          if (one.kind === 'apply') {
            table.apply([one.one]);
            if (one.one.op === 'put') model.set(one.one.key, one.one);
            else model.delete(one.one.key);
          } else if (one.kind === 'image') {
            const image = table.image();
            taken.push({ image, parts: image[Symbol.iterator](), expected: serialized([...model.values()]) });
          } else if (one.kind === 'read') {
            for (const { parts } of taken) for (let count = 0; count < 64; count += 1) parts.next();
          } else {
            table.digest();
          }
        }
        for (const { image, expected } of taken) {
          expect([...image].flat().join('')).toBe(expected);
          expect([...image].flat().join('')).toBe(expected);
        }
      }),
    );
  });

  it('has the lines that canonical JSON writes, whatever characters stand in them, halves of pairs too', () => {
    const text = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(text, text, (name, value) => {
        const table = new StateTable();
        table.apply([{ op: 'put', key: `idem/${name}`, value: { value } }]);
        expect([...table.image()].flat()).toEqual([`${canonicalJson({ key: `idem/${name}`, value: { value } })}\n`]);
      }),
    );
  });

  it('changes its digest with any value', () => {
    fc.assert(
      fc.property(fc.array(key, { minLength: 1, maxLength: 20 }), fc.nat(), (keys, pick) => {
        const table = new StateTable();
        table.apply(keys.map((name) => ({ op: 'put', key: name, value: { n: 1 } })));
        const before = table.digest();
        table.apply([{ op: 'put', key: keys[pick % keys.length] as string, value: { n: 2 } }]);
        expect(table.digest()).not.toBe(before);
      }),
    );
  });

  it('has the same digest when most of it was hashed beforehand', () => {
    const [table, direct] = [new StateTable(), new StateTable()];
    const put = (count: number, n: number) => ({ op: 'put', key: `idem/${count}`, value: { n } }) as const;
    for (let count = 0; count < 9_000; count += 1) {
      table.apply([put(count, 1)]);
      if (count % 3 === 0) table.refresh(8);
      if (count % 5 === 0) table.apply([put(count / 5, 2)]);
      if (count % 7 === 0) table.apply([{ op: 'delete', key: `idem/${count / 7 + 2_000}` }]);
      if (count % 77 === 0) table.apply([put(count / 7 + 2_000, 4)]);
      if (count % 3 === 1) table.apply([put(-count, 1), { op: 'delete', key: `idem/${-count}` }]);
    }
    direct.apply([...table.entries('idem')].map(([key, value]) => ({ op: 'put', key, value })));
    expect(table.digest()).toBe(direct.digest());
    table.apply([put(1, 3)]);
    table.refresh(8);
    expect(table.digest()).not.toBe(direct.digest());
  });

  it('finds what is due as a look at every key does, however the keys came there and whatever was forgotten since', () => {
    const names = ['event/a', 'event/b', 'idem/a', 'idem/b', 'cool/a', 'open/a', 'run/a'];
    const timed: fc.Arbitrary<StateOp> = fc.oneof(
      fc.record({
        op: fc.constant('put' as const),
        key: fc.constantFrom(...names),
        value: fc.record({ expires_at: fc.nat(200_000), state: fc.constantFrom('done', 'in_flight', 'unknown') }),
      }),
      fc.record({ op: fc.constant('delete' as const), key: fc.constantFrom(...names) }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(timed, fc.nat(250_000)), { maxLength: 60 }), (steps) => {
        const table = new StateTable();
        for (const [one, nowMs] of steps) {
          table.apply([one]);
          for (const view of [table, StateTable.parse(table.serialize())]) {
            const due = [...view.dueBy(nowMs)].flatMap(([name, value]) =>
              (expiryOf(value) ?? nowMs + 1) <= nowMs ? name : [],
            );
            expect(due.toSorted()).toEqual(scanned(view, nowMs));
          }
        }
      }),
    );
  });

  it('looks at what is due, and not at all there is', () => {
    const table = new StateTable();
    for (let count = 0; count < 50_000; count += 1) {
      table.apply([{ op: 'put', key: `event/${count}`, value: { expires_at: 1_000_000 + count * 10 } }]);
    }
    expect([...table.dueBy(999_999)]).toEqual([]);
    expect([...table.dueBy(1_000_000)].length).toBeLessThanOrEqual(1_000);
    expect([...table.dueBy(1_100_000)].length).toBeLessThanOrEqual(11_000);
  });

  it('has one artifact: lines in another order are refused, also within a bucket', () => {
    const names = Array.from({ length: 2_000 }, (_, count) => `idem/${count}`);
    const byBucket = Map.groupBy(names, (name) => bucketNameOf(name));
    const together = [...byBucket.values()].find((keys) => keys.length > 1) as string[];
    for (const keys of [together, names.slice(0, 2)]) {
      const table = new StateTable();
      table.apply(keys.map((name) => ({ op: 'put', key: name, value: {} })));
      const lines = [...table.image()].flat();
      expect(StateTable.parse(Buffer.from(lines.join(''))).digest()).toBe(table.digest());
      expect(() => StateTable.parse(Buffer.from(lines.reverse().join('')))).toThrow(ClyraError);
    }
  });

  it('counts each namespace', () => {
    const table = new StateTable();
    table.apply([
      { op: 'put', key: 'open/a', value: {} },
      { op: 'put', key: 'open/a', value: { n: 1 } },
      { op: 'put', key: 'idem/a', value: {} },
      { op: 'delete', key: 'idem/a' },
    ]);
    expect([table.count('open'), table.count('idem'), table.count('none')]).toEqual([1, 0, 0]);
  });

  it('reads back a full velocity window, which is larger than a record', () => {
    const table = new StateTable();
    const times = Array.from({ length: 100_000 }, (_, count) => 1_750_000_000_000 + count);
    table.apply([{ op: 'put', key: 'velocity/tenant', value: { times } }]);
    const artifact = table.serialize();
    expect(StateTable.parse(artifact).digest()).toBe(table.digest());
    expect(stateDigestOf(artifact)).toBe(table.digest());
  });

  it.each(['x', '{"a":1}\n', '{"key":"a","value":1}\n', '{"key":"a","value":{}}\n{"key":"b","value":{}}\n'])(
    'refuses %j with a code: a damaged file is no reason to crash',
    (text) => {
      expect(() => StateTable.parse(Buffer.from(text))).toThrow(ClyraError);
    },
  );
});

function scanned(table: StateTable, nowMs: number): string[] {
  return [...EXPIRING]
    .flatMap((namespace) => [...table.entries(namespace)])
    .flatMap(([key, value]) => {
      const isHeld = value['state'] === 'in_flight' || value['state'] === 'unknown';
      return !isHeld && (value['expires_at'] as number) <= nowMs ? key : [];
    })
    .toSorted();
}
