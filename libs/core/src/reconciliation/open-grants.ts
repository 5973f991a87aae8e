// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { LedgerGrant } from './ledger-entry.ts';

/** Bytes of the ledger's grant lines: 32 MiB, some 75,000 grants. Readers must hold them, so they have an end. */
export const GRANT_BYTES_MAX = 33_554_432;

/** Bytes of a ledger's line, its LF included. */
export function ledgerLineBytes(kind: string, entry: object): number {
  return Buffer.byteLength(canonicalJson({ kind, ...entry } as JsonObject), 'utf8') + 1;
}

/** Grants that may still be used or must still be recognised (docs/spec/journal.md §4). */
export class OpenGrants {
  #grants: ReadonlyMap<Digest, LedgerGrant>;
  #bytes = 0;
  readonly #bytesMax: number;

  constructor(grants: readonly LedgerGrant[] = [], bytesMax: number = GRANT_BYTES_MAX) {
    this.#bytesMax = bytesMax;
    this.#grants = new Map(grants.map((grant) => [grant.token_hash, grant]));
    for (const grant of grants) this.#bytes += ledgerLineBytes('grant', grant);
  }

  get byToken(): ReadonlyMap<Digest, LedgerGrant> {
    return this.#grants;
  }

  get unusedCount(): number {
    let count = 0;
    for (const grant of this.#grants.values()) if (grant.used_by === null) count += 1;
    return count;
  }

  /** False where there is no room for it: its use will then be a finding, never a match. */
  add(grant: LedgerGrant): boolean {
    // A token names one grant for good: a second one under the same token must not renew a used one.
    if (this.#grants.has(grant.token_hash)) return true;
    const bytes = ledgerLineBytes('grant', grant);
    if (this.#bytes + bytes > this.#bytesMax) return false;
    (this.#grants as Map<Digest, LedgerGrant>).set(grant.token_hash, grant);
    this.#bytes += bytes;
    return true;
  }

  /** Takes over what a cut left of them. */
  settle(left: ReadonlyMap<Digest, LedgerGrant>): void {
    for (const [token, before] of this.#grants) {
      const after = left.get(token);
      if (after === before) continue;
      this.#bytes += (after === undefined ? 0 : ledgerLineBytes('grant', after)) - ledgerLineBytes('grant', before);
    }
    this.#grants = new Map(left);
  }
}
