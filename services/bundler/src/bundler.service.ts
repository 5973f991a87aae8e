// SPDX-License-Identifier: Apache-2.0
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import type { BundleSigners } from '@clyra/core/evidence/bundle-files';
import { crash, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import type { Readiness } from '@clyra/runtime/readiness';
import type { Service } from '@clyra/runtime/service-shell';
import { BundlerProcessor } from './bundler.processor.ts';
import type { BundlerOptions } from './bundler-options.ts';
import type { BundlerConfig } from './config.ts';

/** The processor is injected by this token. */
export const BUNDLER = Symbol('BundlerProcessor');

export const PRODUCER = { name: '@clyra/bundler', version: '0.0.0' } as const;

/** The composition root: the only place where the processor's ports become Kafka, files and keys. */
export function startBundler(config: BundlerConfig, start: ServiceStart = {}): Promise<Service> {
  return startLogService<BundlerProcessor>(
    {
      name: 'bundler',
      config,
      token: BUNDLER,
      routes: (scope, processor) => {
        scope.get('/v1/status', () => processor().status());
      },
      start: async ({ log, codec, clock, logger, topics, readiness }, onStop) => {
        const ports = { log, codec, clock, logger, topics };
        const processor = new BundlerProcessor({ ...ports, ...(await settings(config)), ...events(readiness) });
        onStop(() => processor.stop());
        await processor.start();
        return processor;
      },
    },
    start,
  );
}

async function settings(
  config: BundlerConfig,
): Promise<Pick<BundlerOptions, 'blobs' | 'signers' | 'separation' | 'producer' | 'limits'>> {
  return {
    blobs: new FileBlobStore(config.blobDir),
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
  return { onPartition: (partition, reason) => readiness.report(`partition ${partition}`, reason), onBug: crash };
}
