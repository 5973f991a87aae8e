// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { MetricsRegistry } from './metrics-registry.ts';

describe('MetricsRegistry', () => {
  it('writes counters, gauges and cumulative histograms as Prometheus text', () => {
    const metrics = new MetricsRegistry();
    const decided = metrics.counter('clyra_decided_total', 'Changes decided.');
    decided.add(2, { decision: 'allow', route: 'a"b' });
    decided.add(1, { route: 'a"b', decision: 'allow' });
    metrics.gauge('clyra_waiting', 'Requests that wait.').set(7);
    const waited = metrics.histogram('clyra_wait_ms', 'Milliseconds waited.', [1, 10]);
    for (const value of [0.5, 1, 9, 11]) waited.observe(value);
    expect(metrics.text()).toBe(
      [
        '# HELP clyra_decided_total Changes decided.',
        '# TYPE clyra_decided_total counter',
        'clyra_decided_total{decision="allow",route="a\\"b"} 3',
        '# HELP clyra_waiting Requests that wait.',
        '# TYPE clyra_waiting gauge',
        'clyra_waiting 7',
        '# HELP clyra_wait_ms Milliseconds waited.',
        '# TYPE clyra_wait_ms histogram',
        'clyra_wait_ms_bucket{le="1"} 2',
        'clyra_wait_ms_bucket{le="10"} 3',
        'clyra_wait_ms_bucket{le="+Inf"} 4',
        'clyra_wait_ms_sum 21.5',
        'clyra_wait_ms_count 4',
        '',
      ].join('\n'),
    );
  });

  it('stays bounded when a label comes from input, and loses no count', () => {
    const metrics = new MetricsRegistry();
    const seen = metrics.counter('clyra_seen_total', 'Seen.');
    for (let index = 0; index < 2_000; index += 1) seen.add(1, { id: String(index) });
    const rows = metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('clyra_seen_total{'));
    expect(rows.length).toBeLessThanOrEqual(513);
    expect(rows.reduce((sum, row) => sum + Number(row.split(' ').at(-1)), 0)).toBe(2_000);
  });

  it('refuses a name twice and a counter that falls', () => {
    const metrics = new MetricsRegistry();
    const counter = metrics.counter('clyra_a_total', 'A.');
    expect(() => metrics.gauge('clyra_a_total', 'A.')).toThrow('twice');
    expect(() => counter.add(-1)).toThrow('only rises');
  });
});
