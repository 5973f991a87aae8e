// SPDX-License-Identifier: Apache-2.0
import type { MetricsRegistry } from '@clyra/runtime/metrics/metrics-registry';

/** What the Kafka door counts. */
export interface IntentMeter {
  replied(state: string): void;
  refused(code: string): void;
  /** Records of clyra.intents that are read or about to be, and not answered yet. */
  waiting(count: number): void;
}

export const noIntentMeter: IntentMeter = { replied: () => {}, refused: () => {}, waiting: () => {} };

export function intentMeter(metrics: MetricsRegistry): IntentMeter {
  const replied = metrics.counter('clyra_intake_intents_total', 'Intents by what they were answered.');
  const refused = metrics.counter(
    'clyra_intake_intents_refused_total',
    'Intents that became no change, by the reason.',
  );
  const waiting = metrics.gauge('clyra_intake_intents_waiting', 'Records of clyra.intents that are not answered yet.');
  return {
    replied: (state) => replied.add(1, { state }),
    refused: (code) => refused.add(1, { code }),
    waiting: (count) => waiting.set(count),
  };
}
