// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { topicNames } from '@clyra/core/change/topics';
import type { BundleSigners } from '@clyra/core/evidence/bundle-files';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import { brokerDependency } from '@clyra/runtime/broker-dependency';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { createLogger } from '@clyra/runtime/logger';
import { Readiness } from '@clyra/runtime/readiness';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { systemClock } from '@clyra/runtime/system-clock';
import { BundlerProcessor } from './bundler.processor.ts';
import type { BundlerOptions } from './bundler-options.ts';
import type { BundlerConfig } from './config.ts';

/** Ports are injected by these tokens. */
export const BUNDLER = Symbol('BundlerProcessor');

export type BundlerStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

export const PRODUCER = { name: '@clyra/bundler', version: '0.0.0' } as const;

/** The composition root: the only place where the processor's ports become Kafka, files and keys. */
export async function startBundler(config: BundlerConfig, start: BundlerStart = {}): Promise<Service> {
  const logger =
    start.logger ??
    createLogger({ service: 'bundler', format: config.logFormat, sink: process.stdout, clock: systemClock });
  const kafka = { brokers: config.kafkaBrokers, clientId: 'clyra-bundler' };
  const readiness = new Readiness();
  const tools: { codec?: EnvelopeCodec; processor?: BundlerProcessor } = {};
  return startService({
    name: 'bundler',
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    module: { providers: [{ provide: BUNDLER, useFactory: () => tools.processor }] },
    dependencies: [
      brokerDependency(kafka, config.topicPrefix),
      {
        name: 'schema registry',
        check: async (deadlineMs) => {
          tools.codec ??= await registryCodec({ url: config.schemaRegistryUrl, deadlineMs });
        },
      },
    ],
    routes: (scope) => {
      scope.get('/v1/status', () => tools.processor?.status() ?? { partitions: [], tenants: [] });
    },
    start: async () => {
      const log = new KafkaLog(kafka);
      const ports = { log, codec: tools.codec as EnvelopeCodec, clock: systemClock, logger };
      const processor = new BundlerProcessor({ ...ports, ...(await settings(config)), ...events(readiness) });
      tools.processor = processor;
      await processor.start();
      return async () => {
        await processor.stop();
        await log.close();
      };
    },
  });
}

async function settings(
  config: BundlerConfig,
): Promise<Pick<BundlerOptions, 'blobs' | 'topics' | 'signers' | 'separation' | 'producer' | 'limits'>> {
  return {
    blobs: new FileBlobStore(config.blobDir),
    topics: topicNames(config.topicPrefix),
    signers: await signersOf(config),
    separation: config.separation === 'processes' ? 'processes' : 'none',
    producer: PRODUCER,
    limits: { spoolBytesMax: config.spoolBytesMax },
  };
}

async function signersOf({ keyFile, logKeyFile }: BundlerConfig): Promise<BundleSigners> {
  const bundler = await fileSigner(keyFile);
  return { bundler, log: logKeyFile === undefined ? bundler : await fileSigner(logKeyFile) };
}

function events(readiness: Readiness): Pick<BundlerOptions, 'onPartition' | 'onBug'> {
  return {
    onPartition: (partition, reason) => {
      if (reason === undefined) readiness.clear(`partition ${partition}`);
      else readiness.block(`partition ${partition}`, reason);
    },
    // Outside of every promise, so that nothing catches it: the process ends, and the next one starts from the log.
    onBug: (error) => {
      process.nextTick(() => {
        throw error;
      });
    },
  };
}
