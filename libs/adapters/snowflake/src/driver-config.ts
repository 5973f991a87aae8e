// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

type Driver = typeof import('snowflake-sdk');

/**
 * Loads the driver when a source needs it: it is large, and while it is loaded it asks the machine's neighbourhood
 * (cloud metadata addresses, AWS) where it runs, for its telemetry, unless a variable forbids it. A recorder speaks to
 * the account that it was told of and to nobody else; whoever wants the question sets the variable to false.
 */
export async function loadDriver(): Promise<Driver> {
  process.env['SNOWFLAKE_DISABLE_PLATFORM_DETECTION'] ??= 'true';
  const { default: driver } = await import('snowflake-sdk');
  // Without this the driver writes a log file beside the process, and logs statements into it.
  driver.configure({ logLevel: 'OFF', additionalLogToConsole: false });
  return driver;
}
