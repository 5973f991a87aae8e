// SPDX-License-Identifier: Apache-2.0
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { topicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { LocalSettings } from '../local/settings.ts';

type RecorderStatus = {
  readonly sources: readonly {
    readonly source_id: string;
    readonly state: string;
    readonly covers_until: number | null;
  }[];
};

type BundlerStatus = {
  readonly partitions: readonly { readonly partition: number; readonly sequenced: { readonly observations: number } }[];
  readonly tenants: readonly {
    readonly tenant: string;
    readonly partition: number;
    readonly bundle: { readonly end: number; readonly location: string; readonly manifest_digest: string } | null;
  }[];
};

export type SealedBundle = { readonly end: number; readonly location: string; readonly manifest_digest: string };

const POLL_MS = 100;
const REQUEST_DEADLINE_MS = 5_000;

export type Wait = { readonly clock: Clock; readonly deadlineMs: number };

/** Until the recorder reads the source's log: what is committed before its slot stands is observed by nobody. */
export async function recorderStreams(url: string, options: Wait & { readonly sourceId: string }): Promise<void> {
  await until('the recorder', options, async () => {
    const { sources } = await ask<RecorderStatus>(`${url}/v1/status`);
    const isStreaming = sources.some(({ source_id: id, state }) => id === options.sourceId && state === 'streaming');
    return isStreaming ? true : undefined;
  });
}

/** Until the recorder has published everything that the source committed before `untilMs` (the source's clock). */
export async function recorderCovers(
  url: string,
  options: Wait & { readonly sourceId: string; readonly untilMs: number },
): Promise<void> {
  await until('the recorder', options, async () => {
    const status = await ask<RecorderStatus>(`${url}/v1/status`);
    const source = status.sources.find(({ source_id: sourceId }) => sourceId === options.sourceId);
    return (source?.covers_until ?? 0) >= options.untilMs ? true : undefined;
  });
}

/** Until the bundler has sequenced every observation that the log holds now. */
export async function observationsSequenced(url: string, settings: LocalSettings, wait: Wait): Promise<void> {
  const log = new KafkaLog({ brokers: settings.kafka_brokers, clientId: 'clyra-cli' });
  try {
    const ends = await log.endOffsets(topicNames(settings.topic_prefix).observations, wait.deadlineMs);
    await until('the bundler', wait, async () => {
      const { partitions } = await ask<BundlerStatus>(`${url}/v1/status`);
      const behind = partitions.some(({ partition, sequenced }) => sequenced.observations < (ends[partition] ?? 0) - 1);
      return behind ? undefined : true;
    });
  } finally {
    await log.close();
  }
}

export async function newestBundle(url: string, tenant: string): Promise<SealedBundle | undefined> {
  const { tenants } = await ask<BundlerStatus>(`${url}/v1/status`);
  return tenants.find((one) => one.tenant === tenant)?.bundle ?? undefined;
}

/** Until a bundle is sealed that reaches further than `afterEnd`. */
export function bundleAfter(
  url: string,
  tenant: string,
  options: Wait & { readonly afterEnd: number },
): Promise<SealedBundle> {
  return until('the sealed bundle', options, async () => {
    const bundle = await newestBundle(url, tenant);
    return bundle !== undefined && bundle.end > options.afterEnd ? bundle : undefined;
  });
}

export async function until<Value>(what: string, wait: Wait, look: () => Promise<Value | undefined>): Promise<Value> {
  const endMs = wait.clock.nowMs() + wait.deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (wait.clock.nowMs() >= endMs) {
      throw new ClyraError(
        'CLY_QUICKSTART_LATE',
        `${what} did not come within ${wait.deadlineMs} ms: look at the logs`,
        {
          retry: 'backoff',
        },
      );
    }
    await sleep(wait.clock, POLL_MS);
  }
}

async function ask<Answer>(url: string): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(REQUEST_DEADLINE_MS) });
  return (await response.json()) as Answer;
}
