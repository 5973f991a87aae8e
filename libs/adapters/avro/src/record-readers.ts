// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorContext } from '@clyra/core/kernel/error';
import type { Type } from 'avsc';
import { layoutCheck } from './block-limits.ts';
import { WIRE_HEADER_BYTES } from './wire-format.ts';

export type ReadRecord = (bytes: Buffer) => unknown;

/** A prepared reader of one writer's bytes as `reader`, or as the writer itself. Throws CLY_SCHEMA_UNDECODABLE. */
export function recordReader(writer: Type, reader: Type | undefined, schemaId: number): ReadRecord {
  const context = { schemaId, writer: writer.name ?? writer.typeName, reader: reader?.name ?? null };
  const decode = decoder(writer, reader, context);
  const check = layoutCheck(writer);
  return (bytes) => {
    try {
      check?.(bytes, WIRE_HEADER_BYTES);
      return decode(bytes.subarray(WIRE_HEADER_BYTES));
    } catch (cause) {
      throw undecodable('the bytes do not fit the schema that they name', context, cause);
    }
  };
}

export function undecodable(what: string, context: ErrorContext, cause?: unknown): ClyraError {
  return new ClyraError('CLY_SCHEMA_UNDECODABLE', `${what}: quarantine the record, trying again changes nothing`, {
    retry: 'never',
    context,
    cause,
  });
}

function decoder(writer: Type, reader: Type | undefined, context: ErrorContext): ReadRecord {
  if (reader === undefined) return (body) => writer.fromBuffer(body);
  // Same layout: reading directly is several times quicker than resolving field by field.
  if (reader.equals(writer)) return (body) => reader.fromBuffer(body);
  try {
    const resolver = reader.createResolver(writer);
    return (body) => reader.fromBuffer(body, resolver);
  } catch (cause) {
    throw undecodable('no shipped schema reads what this writer wrote', context, cause);
  }
}
