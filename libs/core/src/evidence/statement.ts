// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { Signer } from '../ports/signer.ts';
import { ATTESTATION_TYPE, pae } from '../signing/pae.ts';

export type Statement = {
  readonly subjectName: string;
  readonly subjectDigest: string;
  readonly predicateType: string;
  readonly predicate: JsonObject;
};

export const BUNDLE_PREDICATE = 'https://clyra.dev/bundle/v0';

/** An in-toto Statement v1 with one subject, canonical so that equal facts give equal bytes. */
export function encodeStatement(statement: Statement): Uint8Array {
  const subject = [{ name: statement.subjectName, digest: { sha256: statement.subjectDigest } }];
  const { predicateType, predicate } = statement;
  const document = { _type: 'https://in-toto.io/Statement/v1', subject, predicateType, predicate };
  return Buffer.from(canonicalJson(document), 'utf8');
}

/** A DSSE envelope with one signature. The key id stays empty: foreign verifiers refuse one they did not compute. */
export async function signEnvelope(payload: Uint8Array, signer: Signer): Promise<Uint8Array> {
  const signature = await signer.sign(pae(ATTESTATION_TYPE, payload));
  const envelope = {
    payload: Buffer.from(payload).toString('base64'),
    payloadType: ATTESTATION_TYPE,
    signatures: [{ keyid: '', sig: Buffer.from(signature).toString('base64') }],
  };
  return Buffer.from(canonicalJson(envelope), 'utf8');
}
