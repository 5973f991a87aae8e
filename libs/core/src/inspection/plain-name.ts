// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import { PLAIN_NAME } from '../change/conversation-facts.ts';

/** A name that a record cannot show is hashed: it is compared, not read. */
export function plainName(name: string): string {
  return PLAIN_NAME.test(name) ? name : `sha256:${digestOf(name)}`;
}
