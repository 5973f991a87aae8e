// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeBody } from '../change/change-body.ts';
import type { Policy } from '../policy/policy.ts';
import type { TrustRoot } from '../signing/trust-root.ts';

/** Documents that records name by digest. The shell loads them before it folds a record that needs them. */
export interface Artifacts {
  /** undefined where the loaded bytes are no valid document: the same for everybody who folds. */
  policy(digest: Digest): Policy | undefined;
  trustRoot(digest: Digest): TrustRoot | undefined;
}

export type ArtifactNeed = { readonly kind: 'policy' | 'trust_root'; readonly digest: Digest };

/** What a record makes necessary from here on. Pure, so that every replica waits for the same documents. */
export function artifactNeeds(change: ChangeBody): readonly ArtifactNeed[] {
  if (change.kind !== 'tenant.opened' && change.kind !== 'policy.activated') return [];
  const command: JsonObject = change.command;
  const needs: ArtifactNeed[] = [];
  const { trust_root: trustRoot, policy } = command;
  if (change.kind === 'tenant.opened' && isDigest(trustRoot)) needs.push({ kind: 'trust_root', digest: trustRoot });
  if (isDigest(policy)) needs.push({ kind: 'policy', digest: policy });
  return needs;
}

/** What is no digest is refused as malformed; to look for it would stop the partition for ever. */
function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && DIGEST.test(value);
}
