// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';

export type ClaimFinding = { readonly id: string; readonly status: string; readonly code: string | null };

/** What a verifier said about one bundle. */
export type Finding = {
  readonly verifier: { readonly name: string; readonly version: string; readonly mode: 'head' | 'full' };
  readonly policy: { readonly name: string; readonly digest: Digest };
  readonly trustRoot: Digest;
  readonly passed: boolean;
  /** The verifier's own word: valid, invalid, malformed, … */
  readonly verdict: string;
  readonly claims: readonly ClaimFinding[];
};

/** The verifier as the processor sees it. */
export interface BundleVerification {
  /**
   * Verifies the bundle at a location of the blob store. Rejects with CLY_ATTEST_UNREADABLE, CLY_ATTEST_WORK_DIR or the
   * blob store's errors (retry: backoff) when it could not be read, and with CLY_ATTEST_VERIFIER (retry: never) when the
   * verifier failed itself: none of these is a verdict.
   */
  verify(bundle: { readonly location: string; readonly manifestDigest: Digest }): Promise<Finding>;
}
