// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openBlobStore } from '@clyra/adapter-blob/open-blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import { crash, type ServiceStart, startLogService } from '@clyra/runtime/log-service';
import { openPatientSigner } from '@clyra/runtime/patient-signer';
import type { Service } from '@clyra/runtime/service-shell';
import { type AttestorOptions, AttestorProcessor } from './attestor.processor.ts';
import type { AttestorConfig } from './config.ts';
import { DirectoryVerification } from './directory-verification.ts';
import { readPolicy, standardPolicy, type VerificationPolicy } from './verification-policy.ts';

/** The processor is injected by this token. */
export const ATTESTOR = Symbol('AttestorProcessor');

/** The composition root: the only place where the processor's ports become Kafka, files, keys and the verifier. */
export function startAttestor(config: AttestorConfig, start: ServiceStart = {}): Promise<Service> {
  return startLogService<AttestorProcessor>(
    {
      name: 'attestor',
      config,
      token: ATTESTOR,
      routes: (scope, processor) => {
        scope.get('/v1/status', () => processor().status());
      },
      start: async ({ log, codec, clock, logger, topics, readiness }, onStop) => {
        const signer = await openPatientSigner(config.keyFile, { clock, logger, readiness });
        const processor = new AttestorProcessor({
          ...{ log, codec, clock, logger, topics, signer },
          ...(await settings(config, clock)),
          onState: (reason) => readiness.report('attesting', reason),
          onBug: crash,
        });
        onStop(() => processor.stop());
        onStop(async () => signer.stop());
        await processor.start();
        return processor;
      },
    },
    start,
  );
}

async function settings(
  config: AttestorConfig,
  clock: Clock,
): Promise<Pick<AttestorOptions, 'blobs' | 'verification'>> {
  const blobs = await openBlobStore(config.blobDir, clock);
  const workDir = join(config.dataDir, 'verifying');
  const verification = new DirectoryVerification({
    blobs,
    workDir,
    trustRootFile: config.trustRootFile,
    policy: await policyOf(config),
  });
  return { blobs, verification };
}

async function policyOf({ verificationPolicyFile }: AttestorConfig): Promise<VerificationPolicy> {
  return verificationPolicyFile === undefined ? standardPolicy() : readPolicy(await readFile(verificationPolicyFile));
}
