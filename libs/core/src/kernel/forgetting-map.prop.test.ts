// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ForgettingMap } from './forgetting-map.ts';

const op = fc.constantFrom('set', 'set', 'delete', 'deleteOldest');
const step = fc.record({ op, key: fc.nat({ max: 12 }), value: fc.string() });

it('holds what a Map holds, in its order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const [made, known] = [new ForgettingMap<number, string>(), new Map<number, string>()];
      for (const { op, key, value } of steps) {
        if (op === 'delete') expect(made.delete(key)).toBe(known.delete(key));
        else if (op === 'deleteOldest') {
          made.deleteOldest(key);
          for (const oldest of [...known.keys()].slice(0, key)) known.delete(oldest);
        } else {
          made.set(key, value);
          known.set(key, value);
        }
        expect(made.size).toBe(known.size);
        for (let any = 0; any <= 12; any += 1) expect(made.get(any)).toBe(known.get(any));
      }
    }),
  );
});
