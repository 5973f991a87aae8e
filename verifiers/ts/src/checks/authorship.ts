// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '../documents/checkpoint.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { BundleDocuments } from '../files/load-documents.ts';
import type { Failures } from '../report/failures.ts';
import type { TrustRoot } from '../trust/trust-root.ts';
import { checkCheckpointSignature, judgeEnvelopeSignature } from './seal-check.ts';

/** Judges the signatures over the bundle as a whole, at the time of its cut. Returns whether the envelope is signed. */
export function checkAuthorship(
  given: {
    readonly documents: BundleDocuments;
    readonly manifest: Manifest;
    readonly trustRoot: TrustRoot;
    readonly previous: Checkpoint | null;
    readonly cutMs: number;
  },
  failures: Failures,
): boolean | null {
  const { documents, trustRoot, previous, cutMs } = given;
  checkTrustRoot(given, failures);
  if (documents.checkpoint !== null) {
    checkCheckpointSignature(documents.checkpoint, { trustRoot, timeMs: cutMs, file: 'checkpoint' }, failures);
  }
  if (previous !== null) {
    checkCheckpointSignature(previous, { trustRoot, timeMs: cutMs, file: 'previous checkpoint' }, failures);
  }
  if (documents.envelope === null) {
    return null;
  }
  const code = judgeEnvelopeSignature(documents.envelope, trustRoot, cutMs);
  if (code !== null) {
    const message = 'manifest.dsse.json is not signed by a key of role bundler';
    failures.add({ claim: 'authorship', code, message, location: { file: 'manifest.dsse.json' } });
  }
  return code === null;
}

function checkTrustRoot(
  given: { readonly manifest: Manifest; readonly trustRoot: TrustRoot; readonly cutMs: number },
  failures: Failures,
): void {
  const { manifest, trustRoot, cutMs } = given;
  const fail = (code: string, message: string, member: string) =>
    failures.add({ claim: 'authorship', code, message, location: { file: 'manifest.json', member } });
  if (trustRoot.digest !== manifest.trust_root) {
    fail('CLY_TRUST_ROOT_OTHER', 'the manifest names another trust root than the one passed', 'trust_root');
  }
  if (manifest.origin !== `${trustRoot.logOrigin}/${manifest.tenant}`) {
    fail('CLY_TRUST_ROOT_ORIGIN', `the origin is not that of ${trustRoot.logOrigin}`, 'origin');
  }
  if (cutMs > trustRoot.expiresAtMs) {
    fail('CLY_TRUST_ROOT_EXPIRED', 'the trust root had expired at the cut', 'trust_root');
  }
}
