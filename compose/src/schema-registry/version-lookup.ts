// SPDX-License-Identifier: Apache-2.0
import type { SchemaVersion } from './registry-records.ts';
import { refusals } from './registry-refusal.ts';
import type { RegistryState } from './registry-state.ts';

const VERSION_MAX = 2 ** 31 - 1;

export type VersionQuestion = {
  readonly subject: string;
  /** A number from 1, `latest`, or -1 which means the same. */
  readonly version: string;
  readonly withDeleted: boolean;
};

/** Never empty; rejects with 40401. */
export function requireVersions(
  state: RegistryState,
  subject: string,
  options: { readonly withDeleted: boolean },
): readonly SchemaVersion[] {
  const versions = state.versionsOf(subject, options);
  if (versions.length === 0) throw refusals.subjectNotFound(subject);
  return versions;
}

/** Rejects with 40401, 40402 and 42202. */
export function findVersion(state: RegistryState, { subject, version, withDeleted }: VersionQuestion): SchemaVersion {
  const number = versionNumber(version);
  const versions = requireVersions(state, subject, { withDeleted });
  const found = number === 'latest' ? versions.at(-1) : versions.find((candidate) => candidate.version === number);
  if (found === undefined) throw refusals.versionNotFound(version);
  return found;
}

function versionNumber(version: string): number | 'latest' {
  if (version === 'latest' || version === '-1') return 'latest';
  const number = /^\d{1,10}$/.test(version) ? Number(version) : 0;
  if (number < 1 || number > VERSION_MAX) throw refusals.invalidVersion(version);
  return number;
}
