// SPDX-License-Identifier: Apache-2.0
import process from 'node:process';

/** A secret that an entry of sources.json names by its variable. */
export function secretOfEnvironment(variable: string): string | undefined {
  return process.env[variable];
}
