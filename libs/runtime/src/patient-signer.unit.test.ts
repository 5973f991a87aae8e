// SPDX-License-Identifier: Apache-2.0
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { realClock } from '@clyra/testing/real-clock';
import { describe, expect, it } from '@jest/globals';
import { patientSigner } from './patient-signer.ts';
import { Readiness } from './readiness.ts';

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** A signer whose next calls fail as told. */
function failing(failures: ClyraError[]): Signer {
  const key = memorySigner();
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const failure = failures.shift();
    if (failure !== undefined) throw failure;
    return key.sign(bytes);
  };
  return { ...key, sign };
}

const away = (): ClyraError => new ClyraError('CLY_SIGNER_UNAVAILABLE', 'throttled', { retry: 'backoff' });
const refused = (): ClyraError => new ClyraError('CLY_SIGNER_REFUSED', 'no right', { retry: 'never' });

describe('a patient signer', () => {
  it('waits for a signer that is away, says so meanwhile, and signs in the end', async () => {
    const readiness = new Readiness();
    const signer = patientSigner(failing([away(), away()]), { clock: realClock, logger, readiness });
    const signing = signer.sign(Buffer.from('x'));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(JSON.stringify(readiness.reasons())).toContain('CLY_SIGNER_UNAVAILABLE');
    await expect(signing).resolves.toHaveLength(64);
    expect(JSON.stringify(readiness.reasons())).not.toContain('CLY_SIGNER_UNAVAILABLE');
  });

  it('passes a refusal on at once', async () => {
    const ports = { clock: realClock, logger, readiness: new Readiness() };
    const signer = patientSigner(failing([refused()]), ports);
    await expect(signer.sign(Buffer.from('x'))).rejects.toMatchObject({ code: 'CLY_SIGNER_REFUSED' });
  });

  it('waits no longer when the service stops', async () => {
    const ports = { clock: realClock, logger, readiness: new Readiness() };
    const signer = patientSigner(failing(Array.from({ length: 50 }, away)), ports);
    const signing = signer.sign(Buffer.from('x'));
    signer.stop();
    await expect(signing).rejects.toMatchObject({ code: 'CLY_SERVICE_STOPPING' });
  });
});
