// SPDX-License-Identifier: Apache-2.0

/** A relation as dbt writes it for PostgreSQL, read back: what is quoted stands as it is, the rest folds to lower case. */
export type RenderedRelation = { readonly database: string; readonly schema: string; readonly name: string };

const PART = '"(?:[^"\\u0000]|""){1,126}"|[A-Za-z_\\u0080-\\uffff][\\w$\\u0080-\\uffff]{0,62}';
const RENDERED = new RegExp(`^(${PART})\\.(${PART})\\.(${PART})$`);
const NAME_BYTES_MAX = 63;

/** undefined for what is not three names. */
export function parseRelationName(text: string): RenderedRelation | undefined {
  const [, ...parts] = RENDERED.exec(text) ?? [];
  const [database, schema, name] = parts.map(nameOf);
  if (database === undefined || schema === undefined || name === undefined) return undefined;
  if ([database, schema, name].some((part) => part === '' || Buffer.byteLength(part) > NAME_BYTES_MAX))
    return undefined;
  return { database, schema, name };
}

export function nameOf(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toLowerCase();
}

export function relationText({ schema, name }: { readonly schema: string; readonly name: string }): string {
  return `${schema}.${name}`;
}
