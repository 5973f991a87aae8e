// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { DigestRow } from '@clyra/core/evidence/digest-row';

export type BundleEnd = { readonly tenant: string; readonly end: number; readonly manifestDigest: Digest };

/**
 * Which bundles were attested, for as long as there are logs: a tenant with a cut a minute has half a million in a year.
 * A bundle is told by its tenant and the leaf it ends at.
 */
export class AttestedBundles {
  readonly #tenants = new Map<string, DigestRow>();

  note({ tenant, end, manifestDigest }: BundleEnd): void {
    const row = this.#tenants.get(tenant) ?? new DigestRow();
    this.#tenants.set(tenant, row);
    row.set(end, manifestDigest);
  }

  /** Whether one that ends there was attested, and whether it was this one. */
  find({ tenant, end, manifestDigest }: BundleEnd): 'none' | 'same' | 'other' {
    return this.#tenants.get(tenant)?.find(end, manifestDigest) ?? 'none';
  }
}
