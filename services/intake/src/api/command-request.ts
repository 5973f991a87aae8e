// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { COMMAND_KINDS, type CommandKind } from '@clyra/core/change/change-body';
import { onlyMembers, readList, readObject, readText, shapeError, TENANT } from '@clyra/core/change/shape';

/** `digest`: what the sender calls it, where the name says so. */
export type CommandDocument = {
  readonly name: 'policy' | 'trust_root';
  readonly digest: string | undefined;
  readonly content: Uint8Array;
};

export type CommandRequest = {
  readonly kind: CommandKind;
  readonly tenant: string;
  readonly command: JsonObject;
  readonly signatures: readonly JsonValue[];
  readonly documents: readonly CommandDocument[];
};

export const COMMAND_BYTES_MAX = 8_388_608;
const LIMITS = { bytesMax: COMMAND_BYTES_MAX, depthMax: 16, valuesMax: 10_000 };
const DOCUMENTS_MAX = 4;
/** A word, or the name of its blob. */
const DOCUMENT_NAME = /^(?:policy|trust_root|policies\/[0-9a-f]{64}|trust-roots\/[0-9a-f]{64})$/;
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Reads the body of POST /v1/commands. Throws JsonError or CLY_RECORD_SHAPE. */
export function parseCommandRequest(bytes: Uint8Array): CommandRequest {
  const document = parseJson(bytes, LIMITS);
  if (!isJsonObject(document)) throw shapeError('write {"command": …, "signatures": […], "documents": […]}');
  onlyMembers(document, new Set(['command', 'signatures', 'documents']));
  const command = readObject(document, 'command');
  const kind = command['kind'];
  if (!COMMAND_KINDS.includes(kind as CommandKind)) throw shapeError('the command has an unknown kind');
  const documents = document['documents'] === undefined ? [] : readList(document, 'documents', DOCUMENTS_MAX);
  return {
    kind: kind as CommandKind,
    tenant: readText(command, 'tenant', TENANT),
    command,
    signatures: readList(document, 'signatures', 8),
    documents: documents.map(parseDocument),
  };
}

function parseDocument(value: JsonValue): CommandDocument {
  if (!isJsonObject(value)) throw shapeError('a document is not an object');
  onlyMembers(value, new Set(['name', 'content']));
  const name = readText(value, 'name', DOCUMENT_NAME);
  return {
    name: name.startsWith('polic') ? 'policy' : 'trust_root',
    digest: name.split('/')[1],
    content: Buffer.from(readText(value, 'content', BASE64), 'base64'),
  };
}
