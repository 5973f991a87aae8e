// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { ShadowReport, wilsonInterval } from './shadow-report.ts';

const shadow = { code: 'CLY_DETECTOR_SECRET', effect: 'shadow', rule: 'detectors/d', detail: 'secrets/aws-key' };
const receipt = (reasons: object[]) => ({ kind: 'decided', change_kind: 'change.requested', reasons }) as never;

describe('ShadowReport', () => {
  it('counts each cause once for each request, and only what would have been stopped', () => {
    const report = new ShadowReport();
    report.add(receipt([shadow, shadow]));
    report.add(receipt([{ ...shadow, effect: 'block' }]));
    report.add(receipt([]));
    report.add({ kind: 'recorded' } as never);
    report.add({ ...(receipt([shadow]) as object), change_kind: 'policy.activated' } as never);
    const [row, ...others] = report.rows();
    expect(others).toEqual([]);
    expect(row).toMatchObject({ rule: 'detectors/d', cause: 'secrets/aws-key', wouldBlock: 1, requests: 3 });
  });

  // Newcombe (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('has the published interval for %d of %d', (hits, total, low, high) => {
    expect(wilsonInterval(hits, total).low).toBeCloseTo(low, 4);
    expect(wilsonInterval(hits, total).high).toBeCloseTo(high, 4);
  });
});
