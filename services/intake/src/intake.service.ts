// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import process from 'node:process';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { type TopicNames, topicNames } from '@clyra/core/change/topics';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { createLogger } from '@clyra/runtime/logger';
import { MetricsRegistry } from '@clyra/runtime/metrics/metrics-registry';
import { Readiness } from '@clyra/runtime/readiness';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { systemClock } from '@clyra/runtime/system-clock';
import { systemRandom } from '@clyra/runtime/system-random';
import type { IntakeConfig } from './config.ts';
import { CredentialsFile } from './credentials-file.ts';
import { nextEpoch } from './epoch-file.ts';
import { registerApiRoutes } from './http/api-routes.ts';
import { type GatewayListener, startGatewayListener } from './http/gateway-listener.ts';
import { IntakeProcessor } from './intake.processor.ts';
import { intakeMeter } from './intake-meter.ts';
import { pooledRandom } from './log/pooled-random.ts';
import { HttpUpstream } from './upstream/http-upstream.ts';
import { parseUpstream, type UpstreamAddress } from './upstream/upstream-list.ts';

/** The processor is injected by this token. */
export const INTAKE = Symbol('IntakeProcessor');

export type IntakeStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

/** The API's listener is the service's own (`url`); the gateway stands beside it. */
export type IntakeService = Service & { readonly gatewayUrl: string };

type Tools = { codec?: EnvelopeCodec; processor?: IntakeProcessor; gateway?: GatewayListener };
type Root = {
  readonly readiness: Readiness;
  readonly log: KafkaLog;
  readonly topics: TopicNames;
  readonly logger: Logger;
  readonly metrics: MetricsRegistry;
};

const START_READ_DEADLINE_MS = 20_000;

/** The composition root: the only place where intake's ports become Kafka, HTTP, files and keys. */
export async function startIntake(config: IntakeConfig, start: IntakeStart = {}): Promise<IntakeService> {
  const logger =
    start.logger ??
    createLogger({ service: 'intake', format: config.logFormat, sink: process.stdout, clock: systemClock });
  const root: Root = {
    log: new KafkaLog({ brokers: config.kafkaBrokers, clientId: 'clyra-intake' }),
    topics: topicNames(config.topicPrefix),
    logger,
    metrics: new MetricsRegistry(),
    readiness: new Readiness(),
  };
  const tools: Tools = {};
  const service = await startService({
    name: 'intake',
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    metrics: root.metrics,
    readiness: root.readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    module: { providers: [{ provide: INTAKE, useFactory: () => tools.processor }] },
    dependencies: [
      { name: 'kafka', check: async (deadlineMs) => void (await root.log.endOffsets(root.topics.changes, deadlineMs)) },
      {
        name: 'schema registry',
        check: async (deadlineMs) => {
          tools.codec ??= await registryCodec({ url: config.schemaRegistryUrl, deadlineMs });
        },
      },
    ],
    routes: (scope) => registerApiRoutes(scope, () => running(tools)),
    start: () => startParts(config, root, tools),
  });
  return { ...service, gatewayUrl: tools.gateway?.url ?? '' };
}

async function startParts(config: IntakeConfig, root: Root, tools: Tools): Promise<() => Promise<void>> {
  const upstream = await HttpUpstream.open(config.upstreams.map(parseUpstream) as UpstreamAddress[], {
    totalMs: config.upstreamMs,
  });
  const epoch = await nextEpoch(
    join(config.dataDir, `${config.instance.replaceAll('/', '_')}.epoch`),
    systemClock.nowMs(),
  );
  const processor = new IntakeProcessor({
    log: root.log,
    topics: root.topics,
    logger: root.logger,
    codec: tools.codec as EnvelopeCodec,
    blobs: new FileBlobStore(config.blobDir),
    signer: await fileSigner(config.keyFile),
    upstream,
    clock: systemClock,
    random: pooledRandom(systemRandom),
    credentials: await CredentialsFile.open(config.credentialsFile, { clock: systemClock, logger: root.logger }),
    intake: { instance: config.instance, epoch },
    fingerprintSecret: Buffer.from(config.fingerprintSecret, 'base64'),
    trustRootDigests: new Set(config.trustRootDigests ?? []),
    limits: { holdMs: config.holdMs, bodyBytesMax: config.bodyBytesMax, inFlightMax: config.inFlightMax },
    outcomeLimits: { countMax: config.outcomeCountMax, ageMsMax: config.outcomeAgeMsMax },
    keeper: { windowMs: config.windowMs, windowCount: config.windowCount },
    meter: intakeMeter(root.metrics),
    onReceiptsConnection: (state) => {
      if (state === 'connected') root.readiness.clear('receipts');
      else root.readiness.block('receipts', 'clyra.receipts cannot be read; changes are answered 503 until it can');
    },
  });
  await processor.start(Math.min(config.startDeadlineMs, START_READ_DEADLINE_MS));
  tools.processor = processor;
  const gateway = await startGatewayListener({
    host: config.gatewayHost,
    port: config.gatewayPort,
    clock: systemClock,
    handle: (request) => processor.gateway.handle(request),
    onRefused: (code) => processor.api.edge.count(code),
  });
  tools.gateway = gateway;
  root.logger.info('gateway listening', { url: gateway.url, epoch });
  return async () => {
    const deadlineMs = config.shutdownDeadlineMs / 2;
    processor.gateway.stop();
    await gateway.close(deadlineMs / 2);
    await processor.stop(deadlineMs / 2);
    await upstream.close();
    await root.log.close();
  };
}

function running(tools: Tools): IntakeProcessor {
  if (tools.processor !== undefined) return tools.processor;
  throw new ClyraError('CLY_SERVICE_NOT_READY', 'intake is starting: ask /readyz', { retry: 'backoff' });
}
