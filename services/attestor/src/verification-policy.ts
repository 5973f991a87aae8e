// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { shapeError } from '@clyra/core/change/shape';

export type VerificationPolicy = { readonly name: string; readonly digest: string; readonly bytes: Uint8Array };

/**
 * What an attestation asks of a bundle without an operator's own policy: everything that this version can prove by
 * itself. `reconciliation` is reported and not required, since it is partial until the sources have caught up; `time`
 * and `witness` need somebody outside.
 */
const STANDARD = {
  format: 'clyra/verification-policy/v0',
  name: 'attestor-standard',
  require: ['integrity', 'order', 'completeness', 'authorship', 'policy'],
};

export function standardPolicy(): VerificationPolicy {
  const bytes = Buffer.from(canonicalJson(STANDARD), 'utf8');
  return { name: STANDARD.name, digest: digestOf(bytes), bytes };
}

const LIMITS = { bytesMax: 65_536, depthMax: 4, valuesMax: 64 };

/** An operator's policy; the verifier judges its content. Throws JsonError or CLY_RECORD_SHAPE where it has no name. */
export function readPolicy(bytes: Uint8Array): VerificationPolicy {
  const document = parseJson(bytes, LIMITS);
  const name = isJsonObject(document) ? document['name'] : undefined;
  if (typeof name !== 'string') throw shapeError('a verification policy has a name');
  return { name, digest: digestOf(bytes), bytes };
}
