// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import process from 'node:process';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { createLogger } from '@clyra/runtime/logger';
import { MetricsRegistry } from '@clyra/runtime/metrics/metrics-registry';
import { Readiness } from '@clyra/runtime/readiness';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import type { RecorderConfig } from './config.ts';
import { type RecorderOptions, RecorderProcessor } from './recorder.processor.ts';
import { RecorderMetrics } from './recorder-metrics.ts';
import { FileDigestKeys } from './source/digest-keys.ts';
import { PostgresSource } from './source/postgres-source.ts';
import { readSourceList, type SourceSettings } from './source/source-list.ts';

/** Ports are injected by these tokens. */
export const RECORDER = Symbol('RecorderProcessor');

export type RecorderStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

/** The composition root: the only place where the processor's ports become Kafka, PostgreSQL, files and keys. */
export async function startRecorder(config: RecorderConfig, start: RecorderStart = {}): Promise<Service> {
  const logger =
    start.logger ??
    createLogger({ service: 'recorder', format: config.logFormat, sink: process.stdout, clock: systemClock });
  const settings = config.sourcesFile === undefined ? [] : await readSourceList(config.sourcesFile);
  const log = new KafkaLog({ brokers: config.kafkaBrokers, clientId: 'clyra-recorder' });
  const topics = topicNames(config.topicPrefix);
  const readiness = new Readiness();
  const metrics = new MetricsRegistry();
  const tools: { codec?: EnvelopeCodec; processor?: RecorderProcessor } = {};
  return startService({
    name: 'recorder',
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    metrics,
    readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    module: { providers: [{ provide: RECORDER, useFactory: () => tools.processor }] },
    dependencies: [
      { name: 'kafka', check: async (deadlineMs) => void (await log.endOffsets(topics.observations, deadlineMs)) },
      {
        name: 'schema registry',
        check: async (deadlineMs) => {
          tools.codec ??= await registryCodec({ url: config.schemaRegistryUrl, deadlineMs });
        },
      },
    ],
    routes: (scope) => {
      scope.get('/v1/status', () => ({ sources: tools.processor?.status() ?? [] }));
    },
    start: async () => {
      const processor = makeProcessor(config, {
        log,
        codec: tools.codec as EnvelopeCodec,
        signer: await fileSigner(config.keyFile),
        logger,
        settings,
        readiness,
      });
      tools.processor = processor;
      processor.start();
      const endFigures = new RecorderMetrics(metrics, () => processor.status()).start(systemClock);
      return async () => {
        endFigures();
        await processor.stop(config.shutdownDeadlineMs / 2);
        await log.close();
      };
    },
  });
}

type ProcessorParts = Pick<RecorderOptions, 'log' | 'codec' | 'signer' | 'logger'> & {
  readonly settings: readonly SourceSettings[];
  readonly readiness: Readiness;
};

function makeProcessor(config: RecorderConfig, parts: ProcessorParts): RecorderProcessor {
  const { settings, readiness, ...ports } = parts;
  return new RecorderProcessor({
    ...ports,
    clock: systemClock,
    topics: topicNames(config.topicPrefix),
    sources: settings.map(({ sourceId, tenant, request }) => ({
      identity: { sourceId, tenant },
      source: new PostgresSource(request),
    })),
    digestKeys: new FileDigestKeys(join(config.dataDir, 'digest-keys'), systemRandom),
    mayPrepare: config.prepareSources,
    watermarkIntervalMs: config.watermarkIntervalMs,
    logDeadlineMs: config.logDeadlineMs,
    onSource: ({ sourceId }, reason) => {
      if (reason === undefined) readiness.clear(`source ${sourceId}`);
      else readiness.block(`source ${sourceId}`, reason);
    },
  });
}
