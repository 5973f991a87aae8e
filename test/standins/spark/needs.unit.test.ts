// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { lacking, type Machine } from './needs.ts';

const WHOLE: Machine = {
  ...{ javaText: 'openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', hasPip: true, hasMaven: true, hasTar: true },
  freeMb: 9_000,
};
const BARE: Machine = { javaText: undefined, hasPip: false, hasMaven: false, hasTar: false, freeMb: 10 };

describe('a machine for Spark', () => {
  it('lacks nothing, or is told all that it lacks at once', () => {
    expect(lacking(WHOLE, false)).toEqual([]);
    expect(lacking(BARE, false)).toEqual([
      'a JDK 17 or newer on PATH or in JAVA_HOME: there is no java',
      'python3 with pip, which fetches Spark',
      "mvn, which fetches Delta's jars",
      'tar, which unpacks Spark',
      '1500 MB of free disk: there are 10',
    ]);
  });

  it('needs no more than Java once Spark is there, of a version that Spark knows', () => {
    expect(lacking({ ...BARE, javaText: WHOLE.javaText }, true)).toEqual([]);
    for (const javaText of ['openjdk version "11.0.2" 2019-01-15', 'java version "1.8.0_402"', 'no such thing']) {
      expect(lacking({ ...WHOLE, javaText }, true)).toEqual([
        `a JDK 17 or newer on PATH or in JAVA_HOME: there is ${javaText}`,
      ]);
    }
  });
});
