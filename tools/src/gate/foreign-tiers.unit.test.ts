// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { countGoTests, countPythonTests } from './foreign-tiers.ts';

describe('counting foreign tests', () => {
  it('counts Go tests and not packages', () => {
    const events = [
      { Action: 'run', Test: 'TestA' },
      { Action: 'pass', Test: 'TestA' },
      { Action: 'fail', Test: 'TestB/one' },
      { Action: 'skip', Test: 'TestC' },
      { Action: 'pass', Package: 'clyra' },
    ];
    const output = events.map((event) => JSON.stringify(event)).join('\n');
    expect(countGoTests(`${output}\nok clyra 0.1s\n`)).toEqual({ passed: 1, failed: 1, skipped: 1 });
  });

  it('counts Python tests by their verbose lines', () => {
    const output =
      'test_a (t.A.test_a) ... ok\ntest_b (t.A.test_b) ... FAIL\ntest_c (t.A.test_c) ... ERROR\nRan 3 tests\n';
    expect(countPythonTests(output)).toEqual({ passed: 1, failed: 2, skipped: 0 });
  });
});
