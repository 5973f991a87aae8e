// SPDX-License-Identifier: Apache-2.0

/** Of a manifest's digest; nobody makes a second manifest that begins with the same. */
const DIGEST_BYTES = 16;
const FIRST_COUNT = 64;

export type BundleEnd = { readonly tenant: string; readonly end: number; readonly manifestDigest: string };

/**
 * Which bundles were attested, for as long as there are logs: a tenant with a cut a minute has half a million in a year,
 * so each takes 24 bytes here. A bundle is told by its tenant and the leaf it ends at.
 */
export class AttestedBundles {
  readonly #tenants = new Map<string, TenantBundles>();

  note({ tenant, end, manifestDigest }: BundleEnd): void {
    let bundles = this.#tenants.get(tenant);
    if (bundles === undefined) {
      bundles = new TenantBundles();
      this.#tenants.set(tenant, bundles);
    }
    bundles.set(end, manifestDigest);
  }

  /** Whether one that ends there was attested, and whether it was this one. */
  find({ tenant, end, manifestDigest }: BundleEnd): 'none' | 'same' | 'other' {
    return this.#tenants.get(tenant)?.find(end, manifestDigest) ?? 'none';
  }
}

/** In order of their ends: bundles are attested in that order, so a new one goes behind the others. */
class TenantBundles {
  #ends = new Float64Array(FIRST_COUNT);
  #digests = Buffer.alloc(FIRST_COUNT * DIGEST_BYTES);
  #count = 0;

  set(end: number, digest: string): void {
    const at = this.#placeOf(end);
    if (at === this.#count || this.#ends[at] !== end) this.#open(at);
    this.#ends[at] = end;
    this.#digests.write(digest, at * DIGEST_BYTES, DIGEST_BYTES, 'hex');
  }

  find(end: number, digest: string): 'none' | 'same' | 'other' {
    const at = this.#placeOf(end);
    if (at === this.#count || this.#ends[at] !== end) return 'none';
    const kept = this.#digests.toString('hex', at * DIGEST_BYTES, (at + 1) * DIGEST_BYTES);
    return digest.startsWith(kept) ? 'same' : 'other';
  }

  /** The first place whose bundle does not end before it. */
  #placeOf(end: number): number {
    let [low, high] = [0, this.#count];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ends[middle] as number) < end) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #open(at: number): void {
    if (this.#count === this.#ends.length) this.#grow();
    this.#ends.copyWithin(at + 1, at, this.#count);
    this.#digests.copyWithin((at + 1) * DIGEST_BYTES, at * DIGEST_BYTES, this.#count * DIGEST_BYTES);
    this.#count += 1;
  }

  #grow(): void {
    const count = Math.ceil(this.#count * 1.5);
    const ends = new Float64Array(count);
    ends.set(this.#ends);
    const digests = Buffer.alloc(count * DIGEST_BYTES);
    digests.set(this.#digests);
    [this.#ends, this.#digests] = [ends, digests];
  }
}
