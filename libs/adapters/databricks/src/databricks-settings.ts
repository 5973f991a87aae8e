// SPDX-License-Identifier: Apache-2.0
export type DatabricksConnection = {
  readonly host: string;
  readonly port: number;
  /** Of the SQL warehouse or cluster: `/sql/1.0/warehouses/…`. */
  readonly path: string;
  /** Read for each connection, so that a rotated secret is picked up. */
  readonly token: () => Promise<string>;
  /** PEM, beside the platform's own authorities. */
  readonly tlsCa?: string;
};

export type DatabricksTimeouts = {
  readonly connectDeadlineMs: number;
  /** For one statement with all its rows. A warehouse that sleeps needs minutes to wake. */
  readonly statementDeadlineMs: number;
};

export const DEFAULT_DATABRICKS_TIMEOUTS: DatabricksTimeouts = {
  connectDeadlineMs: 60_000,
  statementDeadlineMs: 300_000,
};
