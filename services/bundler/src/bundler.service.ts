// SPDX-License-Identifier: Apache-2.0
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import type { BundleSigners } from '@clyra/core/evidence/bundle-files';
import type { Clock } from '@clyra/core/ports/clock';
import { FilePositionStore } from '@clyra/runtime/file-position-store';
import { crash, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import { openPatientSigner, type PatientSigner, type SignerPorts } from '@clyra/runtime/patient-signer';
import type { Readiness } from '@clyra/runtime/readiness';
import type { Service } from '@clyra/runtime/service-shell';
import { systemRandom } from '@clyra/runtime/system-random';
import { BundlerProcessor } from './bundler.processor.ts';
import type { BundlerOptions } from './bundler-options.ts';
import type { BundlerConfig } from './config.ts';
import { type OutsideOptions, OutsideWord } from './outside/outside-word.ts';

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
        const signers = await signersOf(config, { clock, logger, readiness });
        const given = { ...(await settings(config, clock)), signers };
        const outside = outsideWord(config, { clock, logger, blobs: given.blobs });
        onStop(() => outside.stop());
        const onSealed: BundlerOptions['onSealed'] = (bundle) => outside.sealed(bundle);
        const positions = config.dataDir === undefined ? {} : { positions: new FilePositionStore(config.dataDir) };
        const ports = { log, codec, clock, logger, topics, onSealed, ...positions };
        const processor = new BundlerProcessor({ ...ports, ...given, ...events(readiness) });
        onStop(() => processor.stop());
        onStop(async () => {
          for (const signer of Object.values(signers)) signer.stop();
        });
        await processor.start();
        await outside.start();
        return processor;
      },
    },
    start,
  );
}

function outsideWord(config: BundlerConfig, ports: Pick<OutsideOptions, 'blobs' | 'clock' | 'logger'>): OutsideWord {
  const { tsaUrls, witnessUrls, outsideDeadlineMs: deadlineMs } = config;
  return new OutsideWord({ ...ports, random: systemRandom, tsaUrls, witnessUrls, deadlineMs });
}

async function settings(
  config: BundlerConfig,
  clock: Clock,
): Promise<Pick<BundlerOptions, 'blobs' | 'separation' | 'producer' | 'limits'>> {
  return {
    blobs: await openBlobStore(config.blobDir, clock),
    separation: config.separation === 'processes' ? 'processes' : 'none',
    producer: PRODUCER,
    limits: { spoolBytesMax: config.spoolBytesMax },
  };
}

async function signersOf(
  { keyFile, logKeyFile }: BundlerConfig,
  ports: SignerPorts,
): Promise<Readonly<Record<keyof BundleSigners, PatientSigner>>> {
  const bundler = await openPatientSigner(keyFile, ports);
  return { bundler, log: logKeyFile === undefined ? bundler : await openPatientSigner(logKeyFile, ports) };
}

function events(readiness: Readiness): Pick<BundlerOptions, 'onPartition' | 'onBug'> {
  return { onPartition: (partition, reason) => readiness.report(`partition ${partition}`, reason), onBug: crash };
}
