// SPDX-License-Identifier: Apache-2.0

/** `IDENTIFIER($name)`, `TABLE('name')`: the name is made when the statement runs. */
const MADE = /^(?:identifier|table)$/i;

/** The current database and schema of the session: they complete a short name. */
export type NameContext = { readonly database: string; readonly schema: string };

const IDENTIFIER = `(?:"(?:[^"]|"")+"|[A-Za-z_][A-Za-z0-9_$]*)`;
const NAME = String.raw`(${IDENTIFIER}(?:\s*\.\s*${IDENTIFIER}){0,2})(?=[\s(;,]|$)`;

/** The grammar of these statements puts the changed table right behind these words; of no other statement it is read. */
const LEADS: readonly RegExp[] = [
  String.raw`INSERT\s+(?:OVERWRITE\s+)?INTO\s+`,
  String.raw`UPDATE\s+`,
  String.raw`DELETE\s+FROM\s+`,
  String.raw`MERGE\s+INTO\s+`,
  String.raw`COPY\s+INTO\s+`,
  String.raw`TRUNCATE\s+(?:TABLE\s+)?(?:IF\s+EXISTS\s+)?`,
  String.raw`CREATE\s+(?:OR\s+(?:REPLACE|ALTER)\s+)?(?:TRANSIENT\s+|HYBRID\s+|EVENT\s+)?TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?`,
  String.raw`(?:ALTER|DROP|UNDROP)\s+TABLE\s+(?:IF\s+EXISTS\s+)?`,
].map((lead) => new RegExp(`^${lead}${NAME}`, 'i'));

/**
 * `DATABASE.SCHEMA.NAME` of the table that a statement changes, from the beginning of its text; undefined where that
 * does not say it beyond doubt (a procedure, several targets, a name made at run time).
 */
export function statementTarget(text: string, context: NameContext): string | undefined {
  const bare = withoutLeadingComments(text);
  for (const lead of LEADS) {
    const name = lead.exec(bare)?.[1];
    if (name !== undefined) return MADE.test(name) ? undefined : completed(partsOf(name), context);
  }
  return undefined;
}

function withoutLeadingComments(text: string): string {
  let rest = text;
  for (;;) {
    const next = rest.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\/[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)/, '');
    if (next === rest) return rest;
    rest = next;
  }
}

function partsOf(name: string): readonly string[] {
  const parts = name.match(new RegExp(IDENTIFIER, 'g')) ?? [];
  return parts.map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part.toUpperCase()));
}

function completed(parts: readonly string[], { database, schema }: NameContext): string | undefined {
  const missing = [database, schema].slice(0, 3 - parts.length);
  const all = [...missing, ...parts];
  return all.length === 3 && all.every((part) => part !== '') ? all.join('.') : undefined;
}
