// SPDX-License-Identifier: Apache-2.0
import { type At, readJson, wrong } from './json-entry.ts';
import { type PostgresSettings, readPostgresEntry } from './postgres-entry.ts';
import { readWarehouseEntry, type WarehouseSettings } from './warehouse-entry.ts';

export type SourceSettings = PostgresSettings | WarehouseSettings;

const SOURCES_MAX = 64;

/**
 * Reads sources.json (services/recorder/README.md). Relative files are beside it. Rejects with CLY_RECORDER_SOURCES
 * (never) that names the entry and what to write.
 */
export async function readSourceList(path: string): Promise<readonly SourceSettings[]> {
  const list = await readJson(path);
  if (!Array.isArray(list) || list.length > SOURCES_MAX) throw wrong(path, `write a list of at most ${SOURCES_MAX}`);
  const sources = list.map((entry: unknown, index) => readEntry(entry, { path, place: `[${index}]` }));
  const seen = new Set<string>();
  for (const source of sources) {
    for (const key of keysOf(source)) {
      if (seen.has(key)) throw wrong(path, `${key} stands twice: give each source its own`);
      seen.add(key);
    }
  }
  return sources;
}

function readEntry(value: unknown, at: At): SourceSettings {
  const kind = (value as { readonly kind?: unknown } | null)?.kind ?? 'postgres';
  if (kind === 'postgres') return readPostgresEntry(value, at);
  if (kind === 'snowflake' || kind === 'databricks') return readWarehouseEntry(value, { kind, at });
  throw wrong(at.path, `${at.place}.kind is not postgres, snowflake or databricks`);
}

function keysOf(source: SourceSettings): readonly string[] {
  const own = `${source.tenant}/${source.sourceId}`;
  if (source.kind !== 'postgres') return [own];
  const { host, port } = source.request.connection;
  return [own, `slot ${source.request.slot} on ${host}:${port}`];
}
