// SPDX-License-Identifier: Apache-2.0
/** Confluent's wire format: a zero byte, the schema id in four bytes big endian, then the Avro binary. */
export const WIRE_HEADER_BYTES = 5;

const MAGIC = 0;
const ID_OFFSET = 1;

export function writeWireHeader(target: Buffer, schemaId: number): void {
  target[0] = MAGIC;
  target.writeUInt32BE(schemaId, ID_OFFSET);
}

/** undefined for bytes that are too short or start with another magic byte. */
export function readSchemaId(bytes: Buffer): number | undefined {
  if (bytes.length < WIRE_HEADER_BYTES || bytes[0] !== MAGIC) return undefined;
  return bytes.readUInt32BE(ID_OFFSET);
}
