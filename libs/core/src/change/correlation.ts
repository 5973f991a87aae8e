// SPDX-License-Identifier: Apache-2.0
import { type Commitment, isCommitment } from '../canonical/commitment-value.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import { onlyMembers, shapeError } from './shape.ts';

/** Under which names the logs of a partner know who and what a run is (docs/spec/records.md §4). */
export type Correlation = {
  readonly actor_principal?: string;
  readonly approver_principal?: string;
  readonly client_app_id?: string | Commitment;
  readonly session_id?: string | Commitment;
};

const PRINCIPALS = ['actor_principal', 'approver_principal'];
/** Of class commit (docs/spec/disclosure.md §1). */
const COMMITTED = ['client_app_id', 'session_id'];
export const CORRELATION_NAMES: readonly string[] = [...PRINCIPALS, ...COMMITTED];
const MEMBERS = new Set(CORRELATION_NAMES);
/** Partners choose these names, so they are texts and no ids. Its length counts UTF-16 code units, as all of the format. */
const NAME = /^[^\u0000-\u001f\u007f]{1,256}$/;

/** Shape of `correlation` of a `run.opened`. Throws CLY_RECORD_SHAPE. */
export function checkCorrelation(correlation: JsonObject): void {
  onlyMembers(correlation, MEMBERS);
  const given = Object.entries(correlation);
  if (given.length === 0)
    throw shapeError(`correlation is empty: give one of ${CORRELATION_NAMES.join(', ')}, or leave it out`);
  for (const [name, value] of given) {
    const isName = typeof value === 'string' && NAME.test(value);
    if (isName || (COMMITTED.includes(name) && isCommitment(value))) continue;
    throw shapeError(`correlation.${name} is not a text of 1 to 256 characters without control characters`);
  }
}
