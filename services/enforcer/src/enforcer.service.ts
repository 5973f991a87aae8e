// SPDX-License-Identifier: Apache-2.0
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { type LogServicePorts, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import type { Service } from '@clyra/runtime/service-shell';
import type { EnforcerConfig } from './config.ts';
import { EnforcerProcessor } from './enforcer.processor.ts';

/** The processor is injected by this token. */
export const ENFORCER = Symbol('EnforcerProcessor');

/** For each question to the log while starting. */
const ASK_DEADLINE_MS = 20_000;

/** The composition root: the only place where the processor's ports become Kafka, files and keys. */
export function startEnforcer(config: EnforcerConfig, start: ServiceStart = {}): Promise<Service> {
  return startLogService<EnforcerProcessor>(
    {
      name: 'enforcer',
      config,
      token: ENFORCER,
      routes: (scope, processor, readiness) => {
        scope.get('/v1/status', () => ({
          decided_count: processor().decidedCount,
          pending_count: processor().pendingCount,
          partitions: readiness.reasons(),
        }));
      },
      start: async (ports, onStop) => {
        const processor = await composeProcessor(config, ports);
        onStop(() => processor.stop());
        await processor.start();
        return processor;
      },
    },
    start,
  );
}

async function composeProcessor(config: EnforcerConfig, ports: LogServicePorts): Promise<EnforcerProcessor> {
  const { readiness } = ports;
  return new EnforcerProcessor({
    log: ports.log,
    codec: ports.codec,
    clock: ports.clock,
    logger: ports.logger,
    topics: ports.topics,
    blobs: await openBlobStore(config.blobDir, ports.clock),
    signer: await openSigner(config.keyFile),
    publishDelayMs: config.publishDelayMs,
    startDeadlineMs: Math.min(config.startDeadlineMs, ASK_DEADLINE_MS),
    sendDeadlineMs: config.sendDeadlineMs,
    onPartition: (partition, reason) => readiness.report(`partition ${partition}`, reason),
  });
}
