// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';

export type RelationName = { readonly schema: string; readonly name: string };

const SLOT_NAME_PATTERN = /^[a-z0-9_]{1,63}$/;

/** A quoted identifier, whatever characters the name has. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal for commands that take no parameters; backslashes are ordinary characters in it. */
export function quoteLiteral(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function quoteRelation(relation: RelationName): string {
  return `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`;
}

/** Rejects with CLY_SOURCE_SLOT_NAME what PostgreSQL itself would refuse as the name of a slot. */
export function requireSlotName(slot: string): string {
  if (!SLOT_NAME_PATTERN.test(slot)) {
    throw new ClyraError(
      'CLY_SOURCE_SLOT_NAME',
      'Name the replication slot with 1 to 63 lower-case letters, digits and underscores.',
      { retry: 'never' },
    );
  }
  return slot;
}
