// SPDX-License-Identifier: Apache-2.0
import { COMPATIBILITY_LEVELS, type CompatibilityLevel } from '@clyra/adapter-avro/compatibility';
import { ClyraError } from '@clyra/core/kernel/error';
import type { LogRecord, OutgoingRecord } from '@clyra/core/ports/record-log';

export const REGISTRY_MODES = ['READWRITE', 'READONLY'] as const;
export type RegistryMode = (typeof REGISTRY_MODES)[number];

/** One version of a subject, as it lies in the log. */
export type SchemaVersion = {
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  /** The schema as JSON text. */
  readonly schema: string;
  readonly deleted: boolean;
};

/**
 * What a record of `_schemas` says, in Confluent's own record format, so that another registry can take the topic
 * over as it is. Subject null is the global setting.
 */
export type RegistryEvent =
  | { readonly kind: 'schema'; readonly version: SchemaVersion }
  | { readonly kind: 'schema-removed'; readonly subject: string; readonly version: number }
  | { readonly kind: 'subject-deleted'; readonly subject: string; readonly upToVersion: number }
  | { readonly kind: 'config'; readonly subject: string | null; readonly level: CompatibilityLevel | null }
  | { readonly kind: 'mode'; readonly subject: string | null; readonly mode: RegistryMode | null }
  | { readonly kind: 'nothing' };

/** Key members stand in Confluent's order, since compaction compares bytes. */
export function toRecord(event: RegistryEvent): OutgoingRecord {
  switch (event.kind) {
    case 'schema': {
      const { subject, version, id, schema, deleted } = event.version;
      return record({ keytype: 'SCHEMA', subject, version, magic: 1 }, { subject, version, id, schema, deleted });
    }
    case 'schema-removed':
      return record({ keytype: 'SCHEMA', subject: event.subject, version: event.version, magic: 1 }, null);
    case 'subject-deleted': {
      const { subject, upToVersion } = event;
      return record({ keytype: 'DELETE_SUBJECT', subject, magic: 0 }, { subject, version: upToVersion });
    }
    case 'config': {
      const value = event.level === null ? null : { compatibilityLevel: event.level };
      return record({ keytype: 'CONFIG', subject: event.subject, magic: 0 }, value);
    }
    case 'mode': {
      const value = event.mode === null ? null : { mode: event.mode };
      return record({ keytype: 'MODE', subject: event.subject, magic: 0 }, value);
    }
    case 'nothing':
      return record({ keytype: 'NOOP', magic: 0 }, null);
  }
}

/** Rejects with CLY_REGISTRY_RECORD what is not in the format: serving a part of the schemas would be worse. */
export function fromRecord(logged: Pick<LogRecord, 'key' | 'value' | 'offset'>): RegistryEvent {
  try {
    const key = parse(logged.key);
    return eventOf(key, logged.value === null ? null : parse(logged.value));
  } catch (cause) {
    throw new ClyraError(
      'CLY_REGISTRY_RECORD',
      `offset ${logged.offset} of the registry's topic is not a registry record: repair the topic, or wipe the local stack`,
      { retry: 'never', context: { offset: logged.offset }, cause },
    );
  }
}

type Fields = Readonly<Record<string, unknown>>;

function eventOf(key: Fields, value: Fields | null): RegistryEvent {
  const subject = key['subject'] === null || key['subject'] === undefined ? null : text(key, 'subject');
  switch (key['keytype']) {
    case 'SCHEMA':
      return schemaEvent(key, value);
    case 'DELETE_SUBJECT':
      if (value === null) return { kind: 'nothing' };
      return { kind: 'subject-deleted', subject: text(key, 'subject'), upToVersion: whole(value, 'version') };
    case 'CONFIG':
      return {
        kind: 'config',
        subject,
        level: value === null ? null : oneOf(COMPATIBILITY_LEVELS, value['compatibilityLevel']),
      };
    case 'MODE':
      return { kind: 'mode', subject, mode: value === null ? null : oneOf(REGISTRY_MODES, value['mode']) };
    default:
      // Newer registries also write kinds that this one does not serve (contexts, data keys).
      return { kind: 'nothing' };
  }
}

function schemaEvent(key: Fields, value: Fields | null): RegistryEvent {
  const subject = text(key, 'subject');
  const version = whole(key, 'version');
  if (value === null) return { kind: 'schema-removed', subject, version };
  const id = whole(value, 'id');
  return {
    kind: 'schema',
    version: { subject, version, id, schema: text(value, 'schema'), deleted: value['deleted'] === true },
  };
}

function record(key: object, value: object | null): OutgoingRecord {
  const encode = (json: object): Buffer => Buffer.from(JSON.stringify(json));
  return { key: encode(key), value: value === null ? null : encode(value) };
}

function parse(bytes: Uint8Array | null): Fields {
  const parsed: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
  if (typeof parsed !== 'object' || parsed === null) throw new TypeError('not an object');
  return parsed as Fields;
}

function text(fields: Fields, name: string): string {
  const value = fields[name];
  if (typeof value !== 'string') throw new TypeError(`${name} is not a text`);
  return value;
}

function whole(fields: Fields, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError(`${name} is not a whole number`);
  return value;
}

function oneOf<Choice extends string>(choices: readonly Choice[], value: unknown): Choice {
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw new TypeError(`${String(value)} is none of ${choices.join(', ')}`);
  return found;
}
