// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { ChangeBody } from '../change/change-body.ts';
import type { Policy } from '../policy/policy.ts';
import type { Delegation } from '../signing/delegation.ts';
import type { Role } from '../signing/trust-root.ts';
import type { StateView } from './state-table.ts';
import type { TenantMeta } from './tenant-meta.ts';

/** Somebody whose signature on a command was checked under the trust root in force. */
export type CommandSigner = { readonly subject: string; readonly roles: ReadonlySet<Role> };

/** Everything a decision sees. Signatures were checked by the shell with a pure function; the result comes in here. */
export type DecideInput<Change extends ChangeBody = ChangeBody> = {
  readonly change: Change;
  readonly changeDigest: Digest;
  readonly receiptId: string;
  readonly partition: number;
  /** The log's append time in milliseconds. */
  readonly appendTimeMs: number;
  /** Tenant time of this record: the append time, never going back, and standing still where the clocks are skewed. */
  readonly nowMs: number;
  readonly signatureValid: boolean;
  readonly signers: readonly CommandSigner[];
  /** What a `key.delegated` lends under the trust root in force; undefined where it lends nothing. */
  readonly delegation?: Delegation | undefined;
  readonly state: StateView;
  readonly meta: TenantMeta;
  /** The document in force; null before the first. */
  readonly policy: Policy | null;
  /** Whether the digest names a valid policy document. */
  readonly isPolicy: (digest: Digest) => boolean;
};
