// SPDX-License-Identifier: Apache-2.0
/** Read for each login, so that a rotated secret is picked up. */
export type SecretReader = () => Promise<string>;

export type SnowflakeConnection = {
  /** The account's identifier: `orgname-accountname`. */
  readonly account: string;
  /** Where it is not at its usual address: `https://host[:port]`. */
  readonly address?: string;
  readonly user: string;
  /** A password or programmatic access token, or the PEM of a private key whose public half the user has. */
  readonly secret:
    | { readonly kind: 'password'; readonly read: SecretReader }
    | { readonly kind: 'private_key'; readonly read: SecretReader };
  readonly role?: string;
  /** The virtual warehouse that runs the history queries. */
  readonly warehouse?: string;
};

export type SnowflakeTimeouts = {
  readonly loginDeadlineMs: number;
  /** For one statement with all its rows. */
  readonly statementDeadlineMs: number;
};

export const DEFAULT_SNOWFLAKE_TIMEOUTS: SnowflakeTimeouts = { loginDeadlineMs: 30_000, statementDeadlineMs: 120_000 };

/** `address` is for private links and stand-ins: anything but HTTPS leaves this machine only by mistake. */
export function addressOf({ account, address }: SnowflakeConnection): string {
  return address ?? `https://${account}.snowflakecomputing.com`;
}
