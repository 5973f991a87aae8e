// SPDX-License-Identifier: Apache-2.0
import type { MetricsRegistry } from '@clyra/runtime/metrics/metrics-registry';
import type { GatewayMeter } from './gateway/gateway-meter.ts';

/** The gateway's figures at /metrics. */
export function intakeMeter(metrics: MetricsRegistry): GatewayMeter {
  const held = metrics.histogram('clyra_intake_held_ms', 'From the sending of a change to its receipt.');
  const decided = metrics.counter('clyra_intake_decided_total', 'Changes by what ended their wait.');
  const refused = metrics.counter('clyra_intake_refused_total', 'Requests refused before they became changes.');
  const late = metrics.counter(
    'clyra_intake_late_receipts_total',
    'Receipts that came after the deadline of their caller.',
  );
  return {
    held: (durationMs) => held.observe(durationMs),
    decided: (result) => decided.add(1, { result }),
    refused: (code) => refused.add(1, { code }),
    late: () => late.add(1),
  };
}
