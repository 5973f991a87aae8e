// SPDX-License-Identifier: Apache-2.0
import { DIGEST, type Digest } from './digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from './json-value.ts';

/** What stands in a body instead of a value of class commit (docs/spec/disclosure.md §1). */
export type Commitment = { readonly $commit: Digest };

export function isCommitment(value: JsonValue | undefined): value is Commitment & JsonObject {
  if (!isJsonObject(value)) return false;
  const { $commit: digest, ...rest } = value;
  return typeof digest === 'string' && DIGEST.test(digest) && Object.keys(rest).length === 0;
}
