// SPDX-License-Identifier: Apache-2.0

export type JsonCode =
  | 'CLY_JSON_SIZE'
  | 'CLY_JSON_UTF8'
  | 'CLY_JSON_SYNTAX'
  | 'CLY_JSON_DEPTH'
  | 'CLY_JSON_NAME'
  | 'CLY_JSON_DUPLICATE'
  | 'CLY_JSON_ORDER'
  | 'CLY_JSON_NUMBER'
  | 'CLY_JSON_STRING'
  | 'CLY_JSON_CANONICAL';

/** Bytes that are not of the grammar asked for; `byte` counts from 0. */
export class JsonError extends Error {
  readonly code: JsonCode;
  readonly byte: number;

  constructor(code: JsonCode, message: string, byte: number) {
    super(message);
    this.name = 'JsonError';
    this.code = code;
    this.byte = byte;
  }
}
