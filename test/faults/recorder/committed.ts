// SPDX-License-Identifier: Apache-2.0
/** One committed transaction in comparable form, whoever reported it. */
export type Committed = {
  readonly xid: string;
  readonly commitEndLsn: string;
  /** `schema.name inserts/updates/deletes/truncates`, ascending. */
  readonly relations: readonly string[];
  /** Digests of the announced tokens, ascending, each once. */
  readonly tokenHashes: readonly string[];
  /** Announced schema changes. */
  readonly ddlCount: number;
};

export type Counts = { inserts: number; updates: number; deletes: number; truncates: number };

export function relationText(name: string, { inserts, updates, deletes, truncates }: Counts): string {
  return `${name} ${inserts}/${updates}/${deletes}/${truncates}`;
}
