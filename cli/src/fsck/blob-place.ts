// SPDX-License-Identifier: Apache-2.0
import { parseCheckpointName } from '@clyra/core/evidence/bundle-names';

/** The folders whose blobs are named by the digest of their content. */
const BY_DIGEST = /^(policies|trust-roots|documents|spool)\/([0-9a-f]{64})$/;
const STATE = /^states\/([0-9a-f]{64})$/;
const BUNDLE = /^bundles\/([a-z0-9][a-z0-9-]{0,62})\/([0-9]{12,16}-[0-9]{12,16})\/(.+)$/;
const MARK = /^outside\/(bundles\/[a-z0-9][a-z0-9-]{0,62}\/[0-9]{12,16}-[0-9]{12,16})\/[0-9a-f]{16}$/;
const ATTESTATION = /^attestations\/([a-z0-9][a-z0-9-]{0,62}\/[0-9]{12,16}-[0-9]{12,16})\.dsse\.json$/;
const BODY = /^bodies\/[a-z0-9][a-z0-9-]{0,62}\/[0-9]{8}\/[0-9a-f]{64}$/;

/** What a blob is, by its name; undefined for a name that nothing of Clyra gives. */
type BlobPlace =
  | { readonly kind: 'digest' | 'state'; readonly digest: string }
  | { readonly kind: 'bundle'; readonly tenant: string; readonly location: string; readonly file: string }
  | { readonly kind: 'checkpoint'; readonly tenant: string; readonly end: number }
  | { readonly kind: 'mark'; readonly location: string }
  | { readonly kind: 'attestation'; readonly location: string }
  | { readonly kind: 'body' | 'leftover' };

export function blobPlace(name: string): BlobPlace | undefined {
  const [, tenant, range, file] = BUNDLE.exec(name) ?? [];
  if (tenant !== undefined && range !== undefined && file !== undefined) {
    return { kind: 'bundle', tenant, location: `bundles/${tenant}/${range}`, file };
  }
  const checkpoint = parseCheckpointName(name);
  if (checkpoint !== undefined) return { kind: 'checkpoint', ...checkpoint };
  const digest = BY_DIGEST.exec(name)?.[2];
  if (digest !== undefined) return { kind: 'digest', digest };
  const state = STATE.exec(name)?.[1];
  if (state !== undefined) return { kind: 'state', digest: state };
  const marked = MARK.exec(name)?.[1];
  if (marked !== undefined) return { kind: 'mark', location: marked };
  const attested = ATTESTATION.exec(name)?.[1];
  if (attested !== undefined) return { kind: 'attestation', location: `bundles/${attested}` };
  // Sealed bodies are named by the digest of what they were before: only who holds the day's key can compare.
  if (BODY.test(name)) return { kind: 'body' };
  return name.startsWith('.staging/') ? { kind: 'leftover' } : undefined;
}
