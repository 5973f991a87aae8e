// SPDX-License-Identifier: Apache-2.0
import type { CompatibilityLevel } from '@clyra/adapter-avro/compatibility';
import type { RegistryEvent, RegistryMode, SchemaVersion } from './registry-records.ts';
import { schemaIdentity } from './schema-identity.ts';

const DEFAULT_LEVEL: CompatibilityLevel = 'BACKWARD';
const DEFAULT_MODE: RegistryMode = 'READWRITE';

/** The fold of the registry's topic: what it knows is exactly what the log says. */
export class RegistryState {
  readonly #subjects = new Map<string, Map<number, SchemaVersion>>();
  readonly #schemas = new Map<number, string>();
  readonly #ids = new Map<string, number>();
  readonly #levels = new Map<string | null, CompatibilityLevel>();
  readonly #modes = new Map<string | null, RegistryMode>();
  #lastId = 0;

  apply(event: RegistryEvent): void {
    switch (event.kind) {
      case 'schema':
        this.#put(event.version);
        break;
      case 'schema-removed':
        this.#subjects.get(event.subject)?.delete(event.version);
        break;
      case 'subject-deleted':
        for (const version of this.versionsOf(event.subject, { withDeleted: true })) {
          if (version.version <= event.upToVersion) this.#put({ ...version, deleted: true });
        }
        break;
      case 'config':
        set(this.#levels, event.subject, event.level);
        break;
      case 'mode':
        set(this.#modes, event.subject, event.mode);
        break;
      case 'nothing':
        break;
    }
  }

  /** Oldest first. */
  versionsOf(subject: string, { withDeleted }: { readonly withDeleted: boolean }): readonly SchemaVersion[] {
    return [...(this.#subjects.get(subject)?.values() ?? [])]
      .filter(({ deleted }) => withDeleted || !deleted)
      .toSorted((a, b) => a.version - b.version);
  }

  subjects({ withDeleted }: { readonly withDeleted: boolean }): readonly string[] {
    return [...this.#subjects.keys()].filter((name) => this.versionsOf(name, { withDeleted }).length > 0).toSorted();
  }

  /** Also of deleted versions: records written with them are still in the log. */
  schemaById(id: number): string | undefined {
    return this.#schemas.get(id);
  }

  idOfIdentity(identity: string): number | undefined {
    return this.#ids.get(identity);
  }

  nextId(): number {
    return this.#lastId + 1;
  }

  ownLevel(subject: string | null): CompatibilityLevel | undefined {
    return this.#levels.get(subject);
  }

  levelFor(subject: string): CompatibilityLevel {
    return this.#levels.get(subject) ?? this.globalLevel();
  }

  globalLevel(): CompatibilityLevel {
    return this.#levels.get(null) ?? DEFAULT_LEVEL;
  }

  ownMode(subject: string | null): RegistryMode | undefined {
    return this.#modes.get(subject);
  }

  modeFor(subject: string): RegistryMode {
    return this.#modes.get(subject) ?? this.globalMode();
  }

  globalMode(): RegistryMode {
    return this.#modes.get(null) ?? DEFAULT_MODE;
  }

  #put(version: SchemaVersion): void {
    const versions = this.#subjects.get(version.subject) ?? new Map<number, SchemaVersion>();
    versions.set(version.version, version);
    this.#subjects.set(version.subject, versions);
    this.#schemas.set(version.id, version.schema);
    this.#ids.set(schemaIdentity(version.schema), version.id);
    this.#lastId = Math.max(this.#lastId, version.id);
  }
}

function set<Value>(map: Map<string | null, Value>, key: string | null, value: Value | null): void {
  if (value === null) map.delete(key);
  else map.set(key, value);
}
