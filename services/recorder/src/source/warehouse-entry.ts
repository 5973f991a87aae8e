// SPDX-License-Identifier: Apache-2.0
import { PLAIN_TABLE } from '@clyra/adapter-snowflake/account-history';
import type { SnowflakeConnection } from '@clyra/adapter-snowflake/snowflake-settings';
import { ID, TENANT } from '@clyra/core/change/shape';
import type { DatabricksSourceSettings } from '../warehouse/databricks/databricks-history.ts';
import type { SnowflakeSourceSettings } from '../warehouse/snowflake/snowflake-history.ts';
import {
  type At,
  beside,
  flagOf,
  integerOf,
  type Json,
  objectOf,
  readCertificate,
  secretOf,
  textOf,
  textsOf,
  wrong,
} from './json-entry.ts';

type WarehouseCommon = { readonly sourceId: string; readonly tenant: string; readonly pollIntervalMs: number };

export type WarehouseSettings = WarehouseCommon &
  (
    | { readonly kind: 'snowflake'; readonly snowflake: SnowflakeSourceSettings }
    | { readonly kind: 'databricks'; readonly databricks: DatabricksSourceSettings }
  );

const COMMON = ['kind', 'source_id', 'tenant', 'connection', 'guarded', 'poll_seconds', 'overlap_minutes'];
const SNOWFLAKE = [
  ...COMMON,
  'access_history',
  'redemptions',
  'query_lag_minutes',
  'access_lag_minutes',
  'deep_minutes',
  'retention_days',
];
const DATABRICKS = [...COMMON, 'lag_minutes', 'lineage', 'lineage_lag_minutes', 'delta_logs'];
const SNOWFLAKE_CONNECTION = [
  ...['account', 'address', 'user', 'role', 'warehouse'],
  ...['password', 'passwordFile', 'passwordEnv', 'privateKey', 'privateKeyFile', 'privateKeyEnv'],
];
const DATABRICKS_CONNECTION = ['host', 'port', 'path', 'token', 'tokenFile', 'tokenEnv', 'tlsCaFile'];
const TEXT = /^[^\u0000-\u001f]{1,256}$/;
const ADDRESS = /^https?:\/\/[^\s/]{1,255}$/;
const RELATION = /^[^\u0000-\u001f.]{1,128}(?:\.[^\u0000-\u001f.]{1,128}){2}$/;
const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WEEK_MINUTES = 10_080;
const PAGE_ROWS = 1_000;
const PORT_MAX = 65_535;

export function readWarehouseEntry(
  value: unknown,
  { kind, at }: { readonly kind: 'snowflake' | 'databricks'; readonly at: At },
): WarehouseSettings {
  const entry = objectOf(value, at, kind === 'snowflake' ? SNOWFLAKE : DATABRICKS);
  const common = {
    sourceId: textOf(entry, 'source_id', { ...at, pattern: ID }),
    tenant: textOf(entry, 'tenant', { ...at, pattern: TENANT }),
    pollIntervalMs: integerOf(entry, 'poll_seconds', { ...at, max: 3_600, standard: 30 }) * SECOND_MS,
  };
  return kind === 'snowflake'
    ? { ...common, kind, snowflake: readSnowflake(entry, at) }
    : { ...common, kind, databricks: readDatabricks(entry, at) };
}

function readSnowflake(entry: Json, at: At): SnowflakeSourceSettings {
  const minutes = (name: string, standard: number): number =>
    integerOf(entry, name, { ...at, max: WEEK_MINUTES, standard }) * MINUTE_MS;
  const redemptions = entry['redemptions'];
  return {
    connection: readSnowflakeConnection(entry['connection'], { path: at.path, place: `${at.place}.connection` }),
    guarded: guardedOf(entry, at),
    hasAccessHistory: flagOf(entry, 'access_history', at) ?? true,
    queryLagMs: minutes('query_lag_minutes', 45),
    accessLagMs: minutes('access_lag_minutes', 180),
    overlapMs: minutes('overlap_minutes', 360),
    deepEveryMs: minutes('deep_minutes', 15),
    retentionMs: integerOf(entry, 'retention_days', { ...at, max: 365, standard: 365 }) * DAY_MS,
    pageRowsMax: PAGE_ROWS,
    ...(redemptions === undefined
      ? {}
      : { redemptions: textOf(entry, 'redemptions', { ...at, pattern: PLAIN_TABLE }) }),
  };
}

function readSnowflakeConnection(value: unknown, at: At): SnowflakeConnection {
  const entry = objectOf(value, at, SNOWFLAKE_CONNECTION);
  const [password, privateKey] = [secretOf(entry, 'password', at), secretOf(entry, 'privateKey', at)];
  const secret =
    privateKey === undefined
      ? password && { kind: 'password' as const, read: password }
      : { kind: 'private_key' as const, read: privateKey };
  if (secret === undefined) throw wrong(at.path, `${at.place} needs privateKeyFile or passwordFile, or …Env of either`);
  const optional = (name: string): string | undefined =>
    entry[name] === undefined ? undefined : textOf(entry, name, { ...at, pattern: TEXT });
  const [role, warehouse] = [optional('role'), optional('warehouse')];
  return {
    account: textOf(entry, 'account', { ...at, pattern: TEXT }),
    user: textOf(entry, 'user', { ...at, pattern: TEXT }),
    secret,
    ...(entry['address'] === undefined ? {} : { address: textOf(entry, 'address', { ...at, pattern: ADDRESS }) }),
    ...(role === undefined ? {} : { role }),
    ...(warehouse === undefined ? {} : { warehouse }),
  };
}

function readDatabricks(entry: Json, at: At): DatabricksSourceSettings {
  const place = { path: at.path, place: `${at.place}.connection` };
  const connection = objectOf(entry['connection'], place, DATABRICKS_CONNECTION);
  const token = secretOf(connection, 'token', place);
  if (token === undefined) throw wrong(place.path, `${place.place} needs tokenFile or tokenEnv`);
  const { tlsCaFile } = connection;
  const minutes = (name: string, standard: number): number =>
    integerOf(entry, name, { ...at, max: WEEK_MINUTES, standard }) * MINUTE_MS;
  return {
    connection: {
      host: textOf(connection, 'host', { ...place, pattern: TEXT }),
      port: integerOf(connection, 'port', { ...place, max: PORT_MAX, standard: 443 }),
      path: textOf(connection, 'path', { ...place, pattern: /^\/[^\s]{1,255}$/ }),
      token,
      ...(typeof tlsCaFile === 'string' ? { tlsCa: readCertificate(beside(tlsCaFile, place)) } : {}),
    },
    guarded: guardedOf(entry, at),
    lagMs: minutes('lag_minutes', 5),
    overlapMs: minutes('overlap_minutes', 60),
    readsLineage: flagOf(entry, 'lineage', at) ?? false,
    lineageLagMs: minutes('lineage_lag_minutes', 180),
    deltaLogs: logsOf(entry['delta_logs'] ?? {}, at),
  };
}

/** Where the `_delta_log` of a table can be read: a folder, or s3://bucket/prefix. */
function logsOf(value: unknown, at: At): ReadonlyMap<string, string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(at.path, `${at.place}.delta_logs is not an object of table and place`);
  }
  return new Map(
    Object.entries(value).map(([table, where]) => {
      if (typeof where !== 'string') throw wrong(at.path, `${at.place}.delta_logs.${table} is not a place`);
      return [table, where.startsWith('s3://') ? where : beside(where, at)];
    }),
  );
}

function guardedOf(entry: Json, at: At): readonly string[] {
  const names = textsOf(entry, 'guarded', at);
  if (names.length > 0 && names.every((name) => RELATION.test(name))) return names;
  throw wrong(at.path, `${at.place}.guarded: write catalog.schema.table of each, without quotation marks`);
}
