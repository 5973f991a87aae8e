// SPDX-License-Identifier: Apache-2.0
import { openSigner } from '@clyra/adapter-signing/open-signer';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Signer } from '@clyra/core/ports/signer';
import { Persistence } from './persistence.ts';
import type { Readiness } from './readiness.ts';

export type SignerPorts = { readonly clock: Clock; readonly logger: Logger; readonly readiness: Readiness };

export type PatientSigner = Signer & {
  /** Waits no longer: to be called before whoever waits for a signature is ended. */
  readonly stop: () => void;
};

/**
 * Opens the key that a setting names. While its KMS or HSM is away a signature waits and `/readyz` says so: nothing is
 * published unsigned, nothing is given up, and what waits behind it is bounded by its own queue. A refusal is passed on.
 */
export async function openPatientSigner(where: string, ports: SignerPorts): Promise<PatientSigner> {
  return patientSigner(await openSigner(where), ports);
}

export function patientSigner(signer: Signer, { clock, logger, readiness }: SignerPorts): PatientSigner {
  const { keyId, publicKey } = signer;
  const onWaiting = (reason: string | undefined): void => readiness.report(`signer ${keyId}`, reason);
  const persistence = new Persistence({ clock, logger, onWaiting });
  return {
    keyId,
    publicKey,
    sign: (bytes) => persistence.until('signature', () => signer.sign(bytes)),
    stop: () => persistence.stop(),
  };
}
