// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';

/** Where the state under a digest lies in the blob store. */
export function stateName(stateDigest: Digest): string {
  return `states/${stateDigest}`;
}
