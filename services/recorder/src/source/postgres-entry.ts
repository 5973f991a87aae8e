// SPDX-License-Identifier: Apache-2.0
import type { PostgresConnection } from '@clyra/adapter-postgres/connection-settings';
import type { SourceRequest } from '@clyra/adapter-postgres/source-preflight';
import type { RelationName } from '@clyra/adapter-postgres/sql-identifier';
import { ID, TENANT } from '@clyra/core/change/shape';
import { type At, beside, flagOf, objectOf, readCertificate, secretOf, textOf, textsOf, wrong } from './json-entry.ts';

export type PostgresSettings = {
  readonly kind: 'postgres';
  readonly sourceId: string;
  readonly tenant: string;
  readonly request: SourceRequest;
};

const SLOT = /^[a-z0-9_]{1,63}$/;
const NAME = /^[^\u0000]{1,63}$/;
const PORT_MAX = 65_535;
const MEMBERS = [
  'kind',
  'source_id',
  'tenant',
  'connection',
  'slot',
  'publication',
  'guarded',
  'guarded_schemas',
  'allow_best_effort',
];
const CONNECTION_MEMBERS = ['host', 'port', 'database', 'user', 'password', 'passwordFile', 'passwordEnv', 'tlsCaFile'];

export function readPostgresEntry(value: unknown, at: At): PostgresSettings {
  const entry = objectOf(value, at, MEMBERS);
  return {
    kind: 'postgres',
    sourceId: textOf(entry, 'source_id', { ...at, pattern: ID }),
    tenant: textOf(entry, 'tenant', { ...at, pattern: TENANT }),
    request: {
      connection: readConnection(entry['connection'], { path: at.path, place: `${at.place}.connection` }),
      slot: textOf(entry, 'slot', { ...at, pattern: SLOT }),
      publication: textOf(entry, 'publication', { ...at, pattern: NAME }),
      // PostgreSQL 13 and 14 are read only where somebody wrote that best effort is enough.
      allowBestEffort: flagOf(entry, 'allow_best_effort', at) ?? false,
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
  const { tlsCaFile } = entry;
  // Read for each connection, so that a rotated secret is picked up.
  const password = secretOf(entry, 'password', at);
  return {
    host: textOf(entry, 'host', { ...at, pattern: /^.+$/ }),
    port,
    database: textOf(entry, 'database', { ...at, pattern: NAME }),
    user: textOf(entry, 'user', { ...at, pattern: NAME }),
    applicationName: 'clyra-recorder',
    ...(password === undefined ? {} : { password }),
    ...(typeof tlsCaFile === 'string' ? { tls: { ca: readCertificate(beside(tlsCaFile, at)) } } : {}),
  };
}

function relationOf(text: string, at: At): RelationName {
  const dot = text.indexOf('.');
  if (dot < 1 || dot === text.length - 1) throw wrong(at.path, `${at.place}.guarded: write schema.table`);
  return { schema: text.slice(0, dot), name: text.slice(dot + 1) };
}
