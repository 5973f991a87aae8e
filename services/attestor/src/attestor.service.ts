// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { topicNames } from '@clyra/core/change/topics';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { Logger } from '@clyra/core/ports/logger';
import { brokerDependency } from '@clyra/runtime/broker-dependency';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import { createLogger } from '@clyra/runtime/logger';
import { Readiness } from '@clyra/runtime/readiness';
import { type Service, startService } from '@clyra/runtime/service-shell';
import { systemClock } from '@clyra/runtime/system-clock';
import { type AttestorOptions, AttestorProcessor } from './attestor.processor.ts';
import type { AttestorConfig } from './config.ts';
import { DirectoryVerification } from './directory-verification.ts';
import { readPolicy, standardPolicy, type VerificationPolicy } from './verification-policy.ts';

/** Ports are injected by these tokens. */
export const ATTESTOR = Symbol('AttestorProcessor');

export type AttestorStart = { readonly signal?: AbortSignal; readonly logger?: Logger };

/** The composition root: the only place where the processor's ports become Kafka, files, keys and the verifier. */
export async function startAttestor(config: AttestorConfig, start: AttestorStart = {}): Promise<Service> {
  const logger =
    start.logger ??
    createLogger({ service: 'attestor', format: config.logFormat, sink: process.stdout, clock: systemClock });
  const kafka = { brokers: config.kafkaBrokers, clientId: 'clyra-attestor' };
  const readiness = new Readiness();
  const tools: { codec?: EnvelopeCodec; processor?: AttestorProcessor } = {};
  return startService({
    name: 'attestor',
    http: { host: config.httpHost, port: config.httpPort },
    logger,
    clock: systemClock,
    readiness,
    startDeadlineMs: config.startDeadlineMs,
    shutdownDeadlineMs: config.shutdownDeadlineMs,
    ...(start.signal === undefined ? {} : { signal: start.signal }),
    module: { providers: [{ provide: ATTESTOR, useFactory: () => tools.processor }] },
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
      scope.get('/v1/status', () => tools.processor?.status() ?? { state: 'starting' });
    },
    start: async () => {
      const log = new KafkaLog(kafka);
      const ports = { log, codec: tools.codec as EnvelopeCodec, clock: systemClock, logger };
      const processor = new AttestorProcessor({ ...ports, ...(await settings(config)), ...events(readiness) });
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
  config: AttestorConfig,
): Promise<Pick<AttestorOptions, 'blobs' | 'topics' | 'signer' | 'verification'>> {
  const blobs = new FileBlobStore(config.blobDir);
  const workDir = join(config.dataDir, 'verifying');
  const verification = new DirectoryVerification({
    blobs,
    workDir,
    trustRootFile: config.trustRootFile,
    policy: await policyOf(config),
  });
  return { blobs, topics: topicNames(config.topicPrefix), signer: await fileSigner(config.keyFile), verification };
}

async function policyOf({ verificationPolicyFile }: AttestorConfig): Promise<VerificationPolicy> {
  return verificationPolicyFile === undefined ? standardPolicy() : readPolicy(await readFile(verificationPolicyFile));
}

function events(readiness: Readiness): Pick<AttestorOptions, 'onState' | 'onBug'> {
  return {
    onState: (reason) => {
      if (reason === undefined) readiness.clear('attesting');
      else readiness.block('attesting', reason);
    },
    // Outside of every promise, so that nothing catches it: the process ends, and the next one starts from the log.
    onBug: (error) => {
      process.nextTick(() => {
        throw error;
      });
    },
  };
}
