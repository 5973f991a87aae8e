// SPDX-License-Identifier: Apache-2.0
import type { BadInputContext } from '@clyra/intake/test-support/signed-headers';

/** What a row can make use of; every value is new for each row. */
export type RowContext = BadInputContext & {
  /** The key file of a person or service of this installation. */
  readonly keyFile: (name: string) => string;
};

export type Row = {
  readonly name: string;
  /** `gateway`: each request is a change. `api`: what people and callers ask of intake itself. */
  readonly listener: 'gateway' | 'api';
  /** Sent one after the other, each on a connection of its own; the last answer is the row's. */
  readonly bytes: (context: RowContext) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;
  readonly status: number;
  /** undefined: the last request is sound, and passes. */
  readonly code: string | undefined;
  /** Whether the last answer stands for a record in the tenant's log. */
  readonly receipt: boolean;
};
