// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** Why a byte string is not acceptable JSON. The codes are part of the wire contract: callers and auditors see them. */
export type JsonErrorCode =
  | 'CLY_JSON_SYNTAX'
  | 'CLY_JSON_UTF8'
  | 'CLY_JSON_DUPLICATE_NAME'
  | 'CLY_JSON_DEPTH'
  | 'CLY_JSON_NUMBER'
  | 'CLY_JSON_STRING'
  | 'CLY_JSON_TRAILING'
  | 'CLY_JSON_SIZE'
  | 'CLY_JSON_NAME'
  | 'CLY_JSON_NOT_CANONICAL'
  | 'CLY_JSON_NOT_OBJECT';

/** A JSON refusal with the byte offset where reading stopped. */
export class JsonError extends ClyraError {
  declare readonly code: JsonErrorCode;
  readonly byteOffset: number;

  constructor(code: JsonErrorCode, message: string, byteOffset: number) {
    super(code, `${message} at byte ${byteOffset}`, { retry: 'never', context: { byte_offset: byteOffset } });
    this.name = 'JsonError';
    this.byteOffset = byteOffset;
  }
}
