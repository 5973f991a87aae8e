// SPDX-License-Identifier: Apache-2.0
import { isObject, type JsonObject } from '../json/json-value.ts';
import { parseJson } from '../json/parse.ts';
import { base64, base64Of, closed, digest, list, object, oneOf, ShapeError, text } from '../json/shape.ts';

export const ENVELOPE_BYTES_MAX = 1_048_576;
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const CANONICAL = { grammar: 'envelope', canonical: true, bytesMax: ENVELOPE_BYTES_MAX } as const;

/** A DSSE envelope over an in-toto statement, opened (bundle.md §6). */
export interface Statement {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly predicateType: string;
  readonly manifestDigest: string;
  readonly predicate: JsonObject;
}

const readEnvelope = closed({
  payload: base64,
  payloadType: oneOf(PAYLOAD_TYPE),
  signatures: list(closed({ keyid: oneOf(''), sig: base64Of(64) }), 1),
});
const readStatement = closed({
  _type: oneOf('https://in-toto.io/Statement/v1'),
  predicate: object,
  predicateType: text,
  subject: list(closed({ digest: closed({ sha256: digest }), name: oneOf('manifest.json') }), 1),
});

/** Parses an envelope and its statement. Throws JsonError for the envelope's own bytes, ShapeError for all else. */
export function parseStatement(bytes: Uint8Array): Statement {
  const envelope = readEnvelope(parseJson(bytes, CANONICAL).value, '');
  const [signed] = envelope.signatures;
  const statement = readStatement(parsePayload(envelope.payload), 'payload');
  const [subject] = statement.subject;
  if (signed === undefined || subject === undefined || !isObject(statement.predicate)) {
    throw new ShapeError('signatures', 'must hold one signature, and the statement one subject');
  }
  return {
    payloadType: envelope.payloadType,
    payload: envelope.payload,
    signature: signed.sig,
    predicateType: statement.predicateType,
    manifestDigest: subject.digest.sha256,
    predicate: statement.predicate,
  };
}

function parsePayload(payload: Buffer): JsonObject {
  try {
    return parseJson(payload, CANONICAL).value;
  } catch (error) {
    throw new ShapeError('payload', `is no canonical JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
