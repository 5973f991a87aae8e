// SPDX-License-Identifier: Apache-2.0
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ForgettingMap } from './forgetting-map.ts';

const step = fc.record({ op: fc.constantFrom('set', 'delete'), key: fc.nat({ max: 12 }), value: fc.string() });

it('holds what a Map holds, in its order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const [made, known] = [new ForgettingMap<number, string>(), new Map<number, string>()];
      for (const { op, key, value } of steps) {
        if (op === 'delete') expect(made.delete(key)).toBe(known.delete(key));
        else {
          made.set(key, value);
          known.set(key, value);
        }
        expect(made.size).toBe(known.size);
        expect(made.get(key)).toBe(known.get(key));
        expect(made.oldest()).toBe(known.keys().next().value);
      }
    }),
  );
});
