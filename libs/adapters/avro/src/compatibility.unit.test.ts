// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { compatibilityProblems } from './compatibility.ts';

const record = (...fields: object[]) => JSON.stringify({ type: 'record', name: 'R', namespace: 'n', fields });
const A = { name: 'a', type: 'string' };
const PLAIN = record(A);
const OPTIONAL = record(A, { name: 'b', type: 'string', default: '' });
const REQUIRED = record(A, { name: 'b', type: 'string' });

describe('compatibilityProblems', () => {
  it.each([
    ['NONE', REQUIRED, [PLAIN], true],
    ['BACKWARD', OPTIONAL, [PLAIN], true],
    ['BACKWARD', REQUIRED, [PLAIN], false],
    ['FORWARD', REQUIRED, [PLAIN], true],
    ['FORWARD', PLAIN, [REQUIRED], false],
    ['FULL', OPTIONAL, [PLAIN], true],
    ['FULL', REQUIRED, [PLAIN], false],
    ['FULL', PLAIN, [REQUIRED], false],
    // The newest version alone would let these through.
    ['BACKWARD', REQUIRED, [PLAIN, OPTIONAL], true],
    ['BACKWARD_TRANSITIVE', REQUIRED, [PLAIN, OPTIONAL], false],
    ['FORWARD', PLAIN, [REQUIRED, OPTIONAL], true],
    ['FORWARD_TRANSITIVE', PLAIN, [REQUIRED, OPTIONAL], false],
    ['FULL_TRANSITIVE', REQUIRED, [PLAIN, OPTIONAL], false],
    ['FULL_TRANSITIVE', OPTIONAL, [PLAIN], true],
    ['FULL_TRANSITIVE', REQUIRED, [], true],
  ] as const)('%s: %s after %j is let through: %s', (level, candidate, versions, isAccepted) => {
    expect(compatibilityProblems({ level, candidate, versions }).length === 0).toBe(isAccepted);
  });

  it('an enum needs a default before it may grow', () => {
    const kind = (symbols: string[], rest: object) =>
      record({ name: 'k', type: { type: 'enum', name: 'K', symbols, ...rest } });
    const grow = (rest: object) =>
      compatibilityProblems({
        level: 'FULL_TRANSITIVE',
        candidate: kind(['X', 'Y'], rest),
        versions: [kind(['X'], rest)],
      });
    expect(grow({ default: 'X' })).toEqual([]);
    expect(grow({})).toHaveLength(1);
  });

  it('says in which direction and which field', () => {
    const [problem] = compatibilityProblems({ level: 'BACKWARD', candidate: REQUIRED, versions: [PLAIN] });
    expect(problem).toMatch(/^the new schema cannot read what an earlier one wrote: .*n\.R\.b/);
  });
});
