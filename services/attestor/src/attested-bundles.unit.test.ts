// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AttestedBundles } from './attested-bundles.ts';

const MINUTES_OF_A_YEAR = 525_600;
const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

describe('attested bundles', () => {
  it('are found as a map would find them, whatever order they come in', () => {
    const one = fc.record({
      tenant: fc.constantFrom('acme', 'beta'),
      end: fc.integer({ min: 1, max: 300 }),
      version: fc.nat({ max: 2 }),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 400 }), fc.array(one, { maxLength: 50 }), (noted, asked) => {
        const bundles = new AttestedBundles();
        const known = new Map<string, string>();
        for (const { tenant, end, version } of noted) {
          const manifestDigest = digestOf(`${end} ${version}`);
          bundles.note({ tenant, end, manifestDigest });
          known.set(`${tenant} ${end}`, manifestDigest);
        }
        for (const { tenant, end, version } of [...noted, ...asked]) {
          const manifestDigest = digestOf(`${end} ${version}`);
          const found = known.get(`${tenant} ${end}`);
          const expected = found === undefined ? 'none' : found === manifestDigest ? 'same' : 'other';
          expect(bundles.find({ tenant, end, manifestDigest })).toBe(expected);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('of a year take less memory than a picture', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const before = held();
    const bundles = new AttestedBundles();
    for (let end = 1; end <= MINUTES_OF_A_YEAR; end += 1) {
      bundles.note({ tenant: 'acme', end, manifestDigest: digestOf(String(end)) });
    }
    expect(held() - before).toBeLessThan(24_000_000);
    expect(bundles.find({ tenant: 'acme', end: 1, manifestDigest: digestOf('1') })).toBe('same');
  });
});
