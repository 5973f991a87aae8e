// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import type { Credential } from './credentials.ts';

/** Who sent a request, as proved by its HMAC, signature or certificate, and what its headers say. */
export type Caller = {
  readonly credential: Credential;
  readonly tenant: string;
  readonly actor: string;
  /** What the headers name, where that is not the two above: null for a header that is not there. */
  readonly claimed?: { readonly tenant: string | null; readonly actor: string | null };
  readonly nonce: string;
  readonly runId: string | null;
  readonly idempotencyKeys: readonly string[];
  readonly claimedDigest: Digest | null;
  /** Milliseconds, by the caller's clock. */
  readonly signedAtMs: number;
};

/** The callers' keys; a plain Map is one that never changes. */
export interface Credentials {
  get(keyId: string): Credential | undefined;
  /** Looks for keys that were added since; resolves soon, and at once when it looked a moment ago. */
  refresh?(): Promise<void>;
}
