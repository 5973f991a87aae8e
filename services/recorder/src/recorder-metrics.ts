// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { Gauge, MetricsRegistry } from '@clyra/runtime/metrics/metrics-registry';
import type { SourceStatus } from './source-figures.ts';

const INTERVAL_MS = 1_000;

/** The status of each source as gauges, for alarms; source ids come from the settings and are few. */
export class RecorderMetrics {
  readonly #status: () => readonly SourceStatus[];
  readonly #gauges: readonly { readonly gauge: Gauge; readonly read: (source: SourceStatus) => number }[];

  constructor(metrics: MetricsRegistry, status: () => readonly SourceStatus[]) {
    this.#status = status;
    const gauge = (name: string, help: string): Gauge => metrics.gauge(`clyra_recorder_${name}`, help);
    this.#gauges = [
      {
        gauge: gauge('streaming', '1 while the source is recorded'),
        read: (source) => Number(source.state === 'streaming'),
      },
      {
        gauge: gauge('lag_ms', 'How far the published watermark is behind now'),
        read: (source) => source.lag_ms ?? 0,
      },
      {
        gauge: gauge('pending_count', 'Observations waiting for the log'),
        read: (source) => source.pending_count,
      },
      {
        gauge: gauge('transaction_count', 'Transactions published by this process'),
        read: (source) => source.transaction_count,
      },
      { gauge: gauge('gap_count', 'Gaps found by this process, at most 16'), read: (source) => source.gaps.length },
    ];
  }

  /** Returns what ends it. */
  start(clock: Clock): () => void {
    let cancel = (): void => {};
    const update = (): void => {
      for (const source of this.#status()) {
        const labels = { source_id: source.source_id, tenant: source.tenant };
        for (const { gauge, read } of this.#gauges) gauge.set(read(source), labels);
      }
      cancel = clock.after(INTERVAL_MS, update);
    };
    update();
    return () => cancel();
  }
}
