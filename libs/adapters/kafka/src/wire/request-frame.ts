// SPDX-License-Identifier: Apache-2.0
import { WireWriter } from './wire-writer.ts';

export type FramedRequest = {
  readonly apiKey: number;
  readonly apiVersion: number;
  /** The content, behind so many bytes that the caller fills in. */
  encode(headerSize: number): Buffer;
};

/** Length, API, version, correlation id and the length of the client's id. */
const FIXED_BYTES = 4 + 2 + 2 + 4 + 2;

/** A request as it is sent, its length first, in the one piece of memory that its content was written to. */
export function frameOf(
  { apiKey, apiVersion, encode }: FramedRequest,
  { correlationId, clientId }: { readonly correlationId: number; readonly clientId: string },
): Buffer {
  const clientBytes = Buffer.byteLength(clientId);
  const bytes = encode(FIXED_BYTES + clientBytes);
  const to = new WireWriter(bytes);
  to.int32(bytes.length - 4);
  to.int16(apiKey);
  to.int16(apiVersion);
  to.int32(correlationId);
  to.int16(clientBytes);
  bytes.write(clientId, to.at, 'utf8');
  return bytes;
}
