// SPDX-License-Identifier: Apache-2.0
import type { AdapterKind } from '../../policy/adapters.ts';

/** Where deliveries come from, and what proves it: one entry of intake's activation file. */
export type DeliverySource = {
  /** Stands in the address: `/hooks/<name>/…`. */
  readonly name: string;
  readonly kind: AdapterKind;
  readonly tenant: string;
  readonly actor: string;
  /** Keys of the signature; more than one while they are being exchanged. */
  readonly secrets: readonly Uint8Array[];
  /** A header that only the vendor knows the value of. */
  readonly token: { readonly header: string; readonly value: string } | null;
  /** Pointer to the list of records in a body, the empty text is the root; a root that is no list is one record. */
  readonly records: string;
  /** Pointers into a record whose values together never come twice, except in a retry. */
  readonly ids: readonly string[];
};

/** What proves a delivery must be there: the fewest proofs that each kind needs. */
export function proofFault({ kind, secrets, token }: DeliverySource): string | undefined {
  if (kind === 'generic' && secrets.length === 0) return 'needs secrets: deliveries are signed as Standard Webhooks';
  if (kind === 'segment' && secrets.length === 0 && token === null) return 'needs secrets, a token or both';
  if ((kind === 'hightouch' || kind === 'rudderstack') && token === null) {
    return 'needs a token: this vendor signs nothing, and sends the headers that it is given';
  }
  if ((kind === 'hightouch' || kind === 'rudderstack') && secrets.length > 0) return 'has secrets that nothing uses';
  return undefined;
}

/** Where the ids of a record stand, if the file says nothing; undefined where only its author can know. */
export function standardIds(kind: AdapterKind): readonly string[] | undefined {
  if (kind === 'hightouch') return undefined;
  return kind === 'generic' ? [] : ['/messageId'];
}
