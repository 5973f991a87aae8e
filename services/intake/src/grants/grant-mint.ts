// SPDX-License-Identifier: Apache-2.0
import type { DecidedBody, Grant as ReceiptGrant } from '@clyra/core/enforcement/receipt-body';
import { type Grant, memberToken, mintGrant } from '@clyra/core/grant/grant';
import type { ChangeAttempt } from '../gateway/change-attempt.ts';
import type { GrantPlace, GrantPlaces } from './grant-places.ts';

/** A grant as text, and what a caller must know to redeem it. Member names are those of the answer. */
export type Minted = {
  readonly source_id: string;
  readonly database: string;
  readonly role: string | null;
  /** Digest of the only statement that it is for, or null. */
  readonly member: string | null;
  readonly relations: readonly string[];
  readonly operations: readonly string[];
  readonly rows_max: number;
  readonly expires_at: number;
  readonly grant: string;
};

export type MintResult = {
  readonly minted: readonly Minted[];
  /** Sources for which there is no place: the change is allowed there, and nothing here can make its grant. */
  readonly placeless: readonly string[];
};

/** Turns what a receipt allows into what the databases redeem. Nothing of it exists before the receipt does. */
export class GrantMint {
  readonly #places: GrantPlaces;

  constructor(places: GrantPlaces) {
    this.#places = places;
  }

  mint(attempt: ChangeAttempt, receipt: DecidedBody): MintResult {
    const minted: Minted[] = [];
    const placeless = new Set<string>();
    for (const [index, granted] of (receipt.grants ?? []).entries()) {
      const place = this.#places.get(granted.source_id);
      if (place?.tenant === receipt.tenant) minted.push(mintedOf({ attempt, receipt, place, granted, index }));
      else placeless.add(granted.source_id);
    }
    return { minted, placeless: [...placeless] };
  }
}

type Order = {
  readonly attempt: ChangeAttempt;
  readonly receipt: DecidedBody;
  readonly place: GrantPlace;
  readonly granted: ReceiptGrant;
  readonly index: number;
};

function mintedOf({ attempt, receipt, place, granted, index }: Order): Minted {
  const { facts, executionToken } = attempt;
  const { source_id, relations, operations, rows_max, expires_at } = granted;
  const { database, role } = place;
  const member = facts.change_set?.members[index]?.statement_digest ?? null;
  const grant: Grant = {
    v: 0,
    token: facts.change_set === undefined ? executionToken : memberToken(executionToken, index),
    tenant: receipt.tenant,
    event_id: receipt.event_id,
    ...{ source_id, database, role, member, relations, operations, rows_max },
    not_before: receipt.decided_at,
    expires_at,
  };
  const text = mintGrant(grant, place.key);
  return { source_id, database, role, member, relations, operations, rows_max, expires_at, grant: text };
}
