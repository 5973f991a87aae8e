// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

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

/** Says what is wrong with a document by the schema of this path, or undefined. */
export function schemaFault(schema: string): (document: unknown) => string | undefined {
  const documents = schemaDocuments();
  // The policy's schema is for editors, with keywords that strict mode does not take.
  const strict = [...documents].filter(([name]) => name !== 'policy').map(([, document]) => document);
  const ajv = new Ajv2020({ strict: true, unicodeRegExp: false, schemas: strict });
  const validate = ajv.getSchema(documents.get(schema)?.$id ?? '');
  if (validate === undefined) throw new Error(`there is no schemas/json/${schema}.schema.json`);
  return (document) => (validate(document) === true ? undefined : ajv.errorsText(validate.errors));
}
