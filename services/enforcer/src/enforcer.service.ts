// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { createLogger } from '@clyra/runtime/logger';
import { Readiness } from '@clyra/runtime/readiness';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { systemClock } from '@clyra/runtime/system-clock';
import type { EnforcerConfig } from './config.ts';
import { EnforcerProcessor } from './enforcer.processor.ts';

/** Ports are injected by these tokens. */
export const ENFORCER = Symbol('EnforcerProcessor');

export type EnforcerStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

/** For each question to the log while starting. */
const ASK_DEADLINE_MS = 20_000;

/** The composition root: the only place where the processor's ports become Kafka, files and keys. */
export async function startEnforcer(config: EnforcerConfig, start: EnforcerStart = {}): Promise<Service> {
  const logger =
    start.logger ??
    createLogger({ service: 'enforcer', format: config.logFormat, sink: process.stdout, clock: systemClock });
  const log = new KafkaLog({ brokers: config.kafkaBrokers, clientId: 'clyra-enforcer' });
  const topics = topicNames(config.topicPrefix);
  const readiness = new Readiness();
  const tools: { codec?: EnvelopeCodec; processor?: EnforcerProcessor } = {};
  return startService({
    name: 'enforcer',
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    module: { providers: [{ provide: ENFORCER, useFactory: () => tools.processor }] },
    dependencies: [
      { name: 'kafka', check: async (deadlineMs) => void (await log.endOffsets(topics.changes, deadlineMs)) },
      {
        name: 'schema registry',
        check: async (deadlineMs) => {
          tools.codec ??= await registryCodec({ url: config.schemaRegistryUrl, deadlineMs });
        },
      },
    ],
    routes: (scope) => {
      scope.get('/v1/status', () => ({
        decided_count: tools.processor?.decidedCount ?? 0,
        pending_count: tools.processor?.pendingCount ?? 0,
        partitions: readiness.reasons(),
      }));
    },
    start: async () => {
      const codec = tools.codec as EnvelopeCodec;
      const processor = await composeProcessor(config, { log, codec, logger, readiness });
      tools.processor = processor;
      await processor.start();
      return async () => {
        await processor.stop();
        await log.close();
      };
    },
  });
}

type Parts = {
  readonly log: KafkaLog;
  readonly codec: EnvelopeCodec;
  readonly logger: Logger;
  readonly readiness: Readiness;
};

async function composeProcessor(config: EnforcerConfig, parts: Parts): Promise<EnforcerProcessor> {
  return new EnforcerProcessor({
    log: parts.log,
    codec: parts.codec,
    blobs: new FileBlobStore(config.blobDir),
    signer: await fileSigner(config.keyFile),
    clock: systemClock,
    logger: parts.logger,
    topics: topicNames(config.topicPrefix),
    publishDelayMs: config.publishDelayMs,
    startDeadlineMs: Math.min(config.startDeadlineMs, ASK_DEADLINE_MS),
    sendDeadlineMs: config.sendDeadlineMs,
    onPartition: (partition, reason) => {
      if (reason === undefined) parts.readiness.clear(`partition ${partition}`);
      else parts.readiness.block(`partition ${partition}`, reason);
    },
  });
}
