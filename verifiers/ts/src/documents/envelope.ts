// SPDX-License-Identifier: Apache-2.0
import { parseJson } from '../json/parse.ts';
import { closed, digest, integer, list, oneOf, ShapeError, text } from '../json/shape.ts';
import { decodeBase64 } from '../signature/base64.ts';

export const ENVELOPE_BYTES_MAX = 1_048_576;
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** manifest.dsse.json, opened. */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly manifestDigest: string;
  readonly predicate: {
    readonly origin: string;
    readonly range: { readonly start: number; readonly end: number };
    readonly root: string;
  };
}

const readEnvelope = closed({
  payload: text,
  payloadType: oneOf(PAYLOAD_TYPE),
  signatures: list(closed({ keyid: oneOf(''), sig: text }), 1),
});

const readStatement = closed({
  _type: oneOf('https://in-toto.io/Statement/v1'),
  subject: list(closed({ name: oneOf('manifest.json'), digest: closed({ sha256: digest }) }), 1),
  predicateType: oneOf('https://clyra.dev/def/v0'),
  predicate: closed({ origin: text, range: closed({ start: integer(0), end: integer(0) }), root: digest }),
});

/** Parses the envelope and its statement. Throws JsonError (bytes of the file or of the payload) or ShapeError. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
  const form = { grammar: 'any', canonical: true, bytesMax: ENVELOPE_BYTES_MAX } as const;
  const envelope = readEnvelope(parseJson(bytes, form).value, '');
  const payload = decodeBase64(envelope.payload);
  if (payload === null) {
    throw new ShapeError('payload', 'must be base64');
  }
  const signature = decodeBase64(envelope.signatures[0]?.sig ?? '');
  if (signature === null || signature.length !== 64) {
    throw new ShapeError('signatures[0].sig', 'must be 64 bytes of base64');
  }
  const statement = readStatement(parsePayload(payload), 'payload');
  const [subject] = statement.subject;
  if (subject === undefined) {
    throw new ShapeError('payload.subject', 'must name manifest.json');
  }
  return {
    payloadType: envelope.payloadType,
    payload,
    signature,
    manifestDigest: subject.digest.sha256,
    predicate: statement.predicate,
  };
}

function parsePayload(payload: Buffer): ReturnType<typeof parseJson>['value'] {
  try {
    return parseJson(payload, { grammar: 'any', canonical: false, bytesMax: ENVELOPE_BYTES_MAX }).value;
  } catch (error) {
    throw new ShapeError('payload', `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}
