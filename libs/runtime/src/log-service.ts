// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { KafkaAdmin } from '@clyra/adapter-kafka/kafka-admin';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import type { Clock } from '@clyra/core/ports/clock';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import type { FastifyInstance } from 'fastify';
import { brokerDependency } from './broker-dependency.ts';
import type { KafkaConfig } from './config/kafka-fields.ts';
import { registryCodec } from './envelope-codec.ts';
import { kafkaAccess } from './kafka-access.ts';
import { createLogger, type LogFormat } from './logger.ts';
import { MetricsRegistry } from './metrics/metrics-registry.ts';
import { Readiness } from './readiness.ts';
import { type Service, type StopPart, startService } from './service-shell.ts';
import { systemClock } from './system-clock.ts';
import { topicsOfService } from './topics.ts';

/** What whoever starts a service may hand to it: how to end a start that still waits, and where its lines go. */
export type ServiceStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

/** The settings that every service on the log has, under the names of shared-fields.ts. */
export type LogServiceConfig = KafkaConfig & {
  readonly schemaRegistryUrl: string;
  readonly topicPrefix: string;
  readonly httpHost: string;
  readonly httpPort: number;
  readonly logFormat: LogFormat;
  readonly startDeadlineMs: number;
  readonly shutdownDeadlineMs: number;
};

/** What a service's parts are made of, once the broker and the registry have answered. */
export type LogServicePorts = {
  readonly log: KafkaLog;
  readonly codec: EnvelopeCodec;
  readonly topics: TopicNames;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readiness: Readiness;
  readonly metrics: MetricsRegistry;
};

export type LogServiceOptions<Processor> = {
  /** As in the topic catalogue: says which topics must be there, and names logger, client and messages. */
  readonly name: string;
  readonly config: LogServiceConfig;
  /** The processor is injected by this token. */
  readonly token: symbol;
  /** `processor` may be asked as soon as requests come: before the start has ended none does. */
  readonly routes?: (scope: FastifyInstance, processor: () => Processor, readiness: Readiness) => void;
  /**
   * Composes the processor and starts it. What it hands to `onStop` is ended last first, the log after all of them:
   * when the service stops, and also where this rejects half way.
   */
  readonly start: (ports: LogServicePorts, onStop: (part: StopPart) => void) => Promise<Processor>;
};

/** The frame of every composition root: a service that needs Kafka and the registry, and ends with its log closed. */
export async function startLogService<Processor>(
  options: LogServiceOptions<Processor>,
  { signal, logger: given }: ServiceStart,
): Promise<Service> {
  const { name, config, token } = options;
  const kafka = kafkaAccess(config, `clyra-${name}`);
  const sink = process.stdout;
  const logger = given ?? createLogger({ service: name, format: config.logFormat, sink, clock: systemClock });
  const readiness = new Readiness();
  const metrics = new MetricsRegistry();
  const topics = topicNames(config.topicPrefix);
  const tools: { codec?: EnvelopeCodec; processor?: Processor } = {};
  return startService({
    name,
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    metrics,
    readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(signal === undefined ? {} : { signal }),
    module: { providers: [{ provide: token, useFactory: () => tools.processor }] },
    dependencies: [
      brokerDependency(new KafkaAdmin(kafka), topicsOfService(name, config.topicPrefix)),
      {
        name: 'schema registry',
        check: async (deadlineMs) => {
          tools.codec ??= await registryCodec({ url: config.schemaRegistryUrl, deadlineMs });
        },
      },
    ],
    routes: (scope) => options.routes?.(scope, () => tools.processor as Processor, readiness),
    start: async () => {
      const log = new KafkaLog(kafka);
      const parts: StopPart[] = [() => log.close()];
      const codec = tools.codec as EnvelopeCodec;
      const ports = { log, codec, topics, clock: systemClock, logger, readiness, metrics };
      try {
        tools.processor = await options.start(ports, (part) => void parts.push(part));
      } catch (failure) {
        await endParts(parts).catch((error: unknown) => logger.error('a part did not end', { error: String(error) }));
        throw failure;
      }
      return () => endParts(parts);
    },
  });
}

/** The last first. One that fails keeps none of the others from ending; rejects with the first failure. */
export async function endParts(parts: readonly StopPart[]): Promise<void> {
  const failures: unknown[] = [];
  for (const part of parts.toReversed()) await part().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** Throws outside of every promise, so that nothing catches it: the process ends, and the next one starts from the log. */
export function crash(error: unknown): void {
  process.nextTick(() => {
    throw error;
  });
}
