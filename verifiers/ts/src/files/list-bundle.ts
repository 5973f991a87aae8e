// SPDX-License-Identifier: Apache-2.0
import type { Dirent } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Failures } from '../report/failures.ts';

const ENTRIES_MAX = 8_192;
export const REQUIRED_FILES = ['manifest.json', 'journal.jsonl', 'checkpoint', 'manifest.dsse.json'] as const;
const OPTIONAL_FILES = ['VERIFY.md'];
const ARTIFACT_NAME = /^[0-9a-f]{64}$/;

/** Names the entries that a bundle may not hold, and the files it lacks. Returns the digests under artifacts/. */
export async function listBundle(
  directory: string,
  failures: Failures,
  entriesMax: number = ENTRIES_MAX,
): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  const artifacts = new Set<string>();
  const isAll = await eachEntry(directory, entriesMax, async (entry) => {
    found.add(entry.name);
    if (entry.name === 'artifacts' && entry.isDirectory()) {
      await listArtifacts(join(directory, 'artifacts'), artifacts, failures);
    } else if (![...REQUIRED_FILES, ...OPTIONAL_FILES].includes(entry.name)) {
      refuse(failures, entry.name, ['CLY_BUNDLE_FILE_UNKNOWN', 'is no file of a bundle']);
    } else if (!entry.isFile()) {
      refuse(failures, entry.name, ['CLY_BUNDLE_FILE_KIND', 'is no regular file']);
    }
  });
  if (!isAll) {
    refuse(failures, '.', ['CLY_BUNDLE_FILE_COUNT', `holds more than ${entriesMax} entries`]);
  }
  for (const name of REQUIRED_FILES) {
    if (isAll && !found.has(name)) {
      refuse(failures, name, ['CLY_BUNDLE_FILE_MISSING', 'is missing']);
    }
  }
  return artifacts;
}

async function listArtifacts(directory: string, into: Set<string>, failures: Failures): Promise<void> {
  const isAll = await eachEntry(directory, ENTRIES_MAX, async (entry) => {
    const file = `artifacts/${entry.name}`;
    if (!entry.isFile()) {
      refuse(failures, file, ['CLY_BUNDLE_FILE_KIND', 'is no regular file']);
    } else if (!ARTIFACT_NAME.test(entry.name)) {
      refuse(failures, file, ['CLY_BUNDLE_FILE_UNKNOWN', 'is not named by a digest']);
    } else {
      into.add(entry.name);
    }
  });
  if (!isAll) {
    refuse(failures, 'artifacts', ['CLY_BUNDLE_FILE_COUNT', `holds more than ${ENTRIES_MAX} entries`]);
  }
}

/** False when there are more entries than a bundle may hold: the rest is not looked at. */
async function eachEntry(
  directory: string,
  entriesMax: number,
  visit: (entry: Dirent) => Promise<void>,
): Promise<boolean> {
  let count = 0;
  for await (const entry of await opendir(directory)) {
    count += 1;
    if (count > entriesMax) {
      return false;
    }
    await visit(entry);
  }
  return true;
}

function refuse(failures: Failures, file: string, because: readonly [code: string, message: string]): void {
  const [code, message] = because;
  failures.addMalformed({ claim: 'integrity', code, message: `${file} ${message}`, location: { file } });
}
