// SPDX-License-Identifier: Apache-2.0
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadSqlParsers } from '@clyra/adapter-sql/sql-parsers';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { PackShelf } from '@clyra/core/detectors/pack-shelf';
import type { Analysers } from '@clyra/core/inspection/inspect-request';
import { ClyraError } from '@clyra/core/kernel/error';

const BUILT_IN = join(import.meta.dirname, '../../../packs/detectors');

/**
 * The SQL parsers, and the detector packs of a folder: those that come with Clyra where none is named. Rejects with
 * CLY_DETECTOR_PACK for a folder or file that cannot be used: an intake that looks for less than it says must not start.
 */
export async function loadAnalysers(packFolder: string | undefined): Promise<Analysers> {
  const [sql, packs] = await Promise.all([loadSqlParsers(), loadPacks(packFolder ?? BUILT_IN)]);
  return { sql, packs };
}

async function loadPacks(folder: string): Promise<PackShelf> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
    const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    return new PackShelf(texts.map((text) => JSON.parse(text) as JsonValue));
  } catch (cause) {
    if (cause instanceof ClyraError) throw cause;
    throw new ClyraError('CLY_DETECTOR_PACK', `the detector packs in ${folder} cannot be read as JSON: correct them`, {
      retry: 'never',
      cause,
    });
  }
}
