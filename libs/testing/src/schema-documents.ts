// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';

const FOLDER = new URL('../../../schemas/json/', import.meta.url);

export type SchemaDocument = { readonly $id?: string; readonly [keyword: string]: unknown };

/** Every document of schemas/json by its path there, without `.schema.json`: `changes/run.opened`. */
export function schemaDocuments(): ReadonlyMap<string, SchemaDocument> {
  const suffix = '.schema.json';
  const names = readdirSync(FOLDER, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith(suffix));
  return new Map(
    names
      .sort()
      .map((name) => [
        name.slice(0, -suffix.length),
        JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as SchemaDocument,
      ]),
  );
}
