// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import type { SourceRequest } from '@clyra/adapter-postgres/source-preflight';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { ID, TENANT } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';

export type SourceSettings = {
  readonly sourceId: string;
  readonly tenant: string;
  readonly request: SourceRequest;
};

type Json = Readonly<Record<string, unknown>>;

const SOURCES_MAX = 64;
const SLOT = /^[a-z0-9_]{1,63}$/;
const NAME = /^[^\u0000]{1,63}$/;
const PORT_MAX = 65_535;
const MEMBERS = [
  'source_id',
  'tenant',
  'connection',
  'slot',
  'publication',
  'guarded',
  'guarded_schemas',
  'allow_best_effort',
];
const CONNECTION_MEMBERS = ['host', 'port', 'database', 'user', 'password', 'passwordFile', 'tlsCaFile'];

/**
 * Reads sources.json: `[{source_id, tenant, connection: {host, port, database, user, password or passwordFile,
 * tlsCaFile?}, slot, publication, guarded: ["schema.table"], guarded_schemas?: ["schema"], allow_best_effort?: true}]`. Relative files are beside
 * it. Rejects with CLY_RECORDER_SOURCES (never) that names the entry and what to write.
 */
export async function readSourceList(path: string): Promise<readonly SourceSettings[]> {
  const list = await readJson(path);
  if (!Array.isArray(list) || list.length > SOURCES_MAX) throw wrong(path, `write a list of at most ${SOURCES_MAX}`);
  const sources = list.map((entry: unknown, index) => readEntry(entry, { path, place: `[${index}]` }));
  const seen = new Set<string>();
  for (const { tenant, sourceId, request } of sources) {
    const { host, port } = request.connection;
    for (const key of [`${tenant}/${sourceId}`, `slot ${request.slot} on ${host}:${port}`]) {
      if (seen.has(key)) throw wrong(path, `${key} stands twice: give each source its own`);
      seen.add(key);
    }
  }
  return sources;
}

type At = { readonly path: string; readonly place: string };

function readEntry(value: unknown, at: At): SourceSettings {
  const entry = objectOf(value, at, MEMBERS);
  return {
    sourceId: textOf(entry, 'source_id', { ...at, pattern: ID }),
    tenant: textOf(entry, 'tenant', { ...at, pattern: TENANT }),
    request: {
      connection: readConnection(entry['connection'], { path: at.path, place: `${at.place}.connection` }),
      slot: textOf(entry, 'slot', { ...at, pattern: SLOT }),
      publication: textOf(entry, 'publication', { ...at, pattern: NAME }),
      allowBestEffort: bestEffortOf(entry, at),
      guarded: {
        tables: textsOf(entry, 'guarded', at).map((name) => relationOf(name, at)),
        schemas: entry['guarded_schemas'] === undefined ? [] : textsOf(entry, 'guarded_schemas', at),
      },
    },
  };
}

function readConnection(value: unknown, at: At): PostgresConnection {
  const entry = objectOf(value, at, CONNECTION_MEMBERS);
  const port = entry['port'];
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > PORT_MAX) {
    throw wrong(at.path, `${at.place}.port is not a port`);
  }
  const { password, passwordFile, tlsCaFile } = entry;
  const beside = (file: string): string => resolve(dirname(at.path), file);
  return {
    host: textOf(entry, 'host', { ...at, pattern: /^.+$/ }),
    port,
    database: textOf(entry, 'database', { ...at, pattern: NAME }),
    user: textOf(entry, 'user', { ...at, pattern: NAME }),
    applicationName: 'clyra-recorder',
    ...(typeof password === 'string' ? { password } : {}),
    // Read for each connection, so that a rotated secret is picked up.
    ...(typeof passwordFile === 'string' ? { password: () => readSecret(beside(passwordFile)) } : {}),
    ...(typeof tlsCaFile === 'string' ? { tls: { ca: readCertificate(beside(tlsCaFile)) } } : {}),
  };
}

function relationOf(text: string, at: At): RelationName {
  const dot = text.indexOf('.');
  if (dot < 1 || dot === text.length - 1) throw wrong(at.path, `${at.place}.guarded: write schema.table`);
  return { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}

function objectOf(value: unknown, at: At, members: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(at.path, `${at.place} is not an object with ${members.join(', ')}`);
  }
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) throw wrong(at.path, `${at.place}.${unknown} is unknown; known are ${members.join(', ')}`);
  return value as Json;
}

function textOf(entry: Json, name: string, at: At & { readonly pattern: RegExp }): string {
  const value = entry[name];
  if (typeof value === 'string' && at.pattern.test(value)) return value;
  throw wrong(at.path, `${at.place}.${name} is not a text of the right form`);
}

function textsOf(entry: Json, name: string, at: At): readonly string[] {
  const value = entry[name];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as readonly string[];
  throw wrong(at.path, `${at.place}.${name} is not a list of texts`);
}

/** PostgreSQL 13 and 14 are read only where somebody wrote that best effort is enough. */
function bestEffortOf(entry: Json, at: At): boolean {
  const value = entry['allow_best_effort'];
  if (value === undefined || typeof value === 'boolean') return value ?? false;
  throw wrong(at.path, `${at.place}.allow_best_effort is not true or false`);
}

async function readSecret(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw wrong(path, 'the certificate authority cannot be read', cause);
  }
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    const what = cause instanceof SyntaxError ? 'is not JSON' : `cannot be read (${(cause as { code?: string }).code})`;
    throw wrong(path, what, cause);
  }
}

function wrong(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_RECORDER_SOURCES', `sources file ${path}: ${what}; correct it or CLYRA_SOURCES_FILE`, {
    retry: 'never',
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
