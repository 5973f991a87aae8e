// SPDX-License-Identifier: Apache-2.0
import { DerError } from '../time/der.ts';
import type { Location } from './claim.ts';
import { describeParseError } from './failures.ts';

/** What was passed is no bundle, or no file of its kind: reading stops there (verification.md §3). */
export class Malformed extends Error {
  readonly code: string;
  readonly location: Location;

  constructor(code: string, message: string, location: Location) {
    super(message);
    this.name = 'Malformed';
    this.code = code;
    this.location = location;
  }
}

/** Runs a parser; its errors of grammar and shape end the reading. `code` stands for those of shape, or for all. */
export function orMalformed<T>(
  parse: () => T,
  as: { readonly code: string; readonly file: string; readonly isOneCode?: boolean },
): T {
  try {
    return parse();
  } catch (error) {
    if (error instanceof DerError) {
      throw new Malformed(as.code, `${as.file}: ${error.message}`, { file: as.file });
    }
    const { code, message, location } = describeParseError(error, as.code, { file: as.file });
    throw new Malformed(as.isOneCode === true ? as.code : code, `${as.file}: ${message}`, location);
  }
}
