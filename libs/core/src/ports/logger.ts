// SPDX-License-Identifier: Apache-2.0
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Structured lines for operators. No payload value, secret or token ever goes into a field. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };
