// SPDX-License-Identifier: Apache-2.0
import { type CompatibilityLevel, compatibilityProblems } from '@clyra/adapter-avro/compatibility';
import type { RegistryLog } from './registry-log.ts';
import type { RegistryMode, SchemaVersion } from './registry-records.ts';
import { refusals } from './registry-refusal.ts';
import type { RegistryState } from './registry-state.ts';
import { plainSchema, schemaIdentity } from './schema-identity.ts';
import { findVersion, requireVersions } from './version-lookup.ts';

export type DeleteOptions = { readonly permanent: boolean };

/** The registry's changes and the questions that need more than a look. Everything it refuses is a RegistryRefusal. */
export class Registry {
  readonly #log: RegistryLog;

  constructor(log: RegistryLog) {
    this.#log = log;
  }

  get state(): RegistryState {
    return this.#log.state;
  }

  /** The id; the same schema has the same id under every subject, and registering it again changes nothing. */
  register(subject: string, given: string): Promise<number> {
    const { text, identity } = plainSchema(given);
    return this.#log.change((state) => {
      const versions = state.versionsOf(subject, { withDeleted: true });
      const live = versions.filter(({ deleted }) => !deleted);
      const known = live.find(({ schema }) => schemaIdentity(schema) === identity);
      if (known !== undefined) return { events: [], value: known.id };
      requireWritable(state, subject);
      const problems = compatibilityProblems({
        level: state.levelFor(subject),
        candidate: text,
        versions: live.map(({ schema }) => schema),
      });
      if (problems.length > 0) throw refusals.incompatible(problems);
      const id = state.idOfIdentity(identity) ?? state.nextId();
      const version = (versions.at(-1)?.version ?? 0) + 1;
      return {
        events: [{ kind: 'schema', version: { subject, version, id, schema: text, deleted: false } }],
        value: id,
      };
    });
  }

  /** The version of the subject that has this schema. */
  lookUp(subject: string, given: string, { withDeleted }: { readonly withDeleted: boolean }): SchemaVersion {
    const { identity } = plainSchema(given);
    const versions = requireVersions(this.state, subject, { withDeleted });
    const found = versions.findLast(({ schema }) => schemaIdentity(schema) === identity);
    if (found === undefined) throw refusals.schemaNotFound();
    return found;
  }

  /** What speaks against registering: compared with one version, or as registering itself would. */
  problems(subject: string, given: string, version: string | undefined): readonly string[] {
    const candidate = plainSchema(given).text;
    const level = this.state.levelFor(subject);
    const live = this.state.versionsOf(subject, { withDeleted: false });
    if (version === undefined)
      return compatibilityProblems({ level, candidate, versions: live.map(({ schema }) => schema) });
    if (live.length === 0 && version === 'latest') return [];
    const { schema } = findVersion(this.state, { subject, version, withDeleted: false });
    return compatibilityProblems({ level, candidate, versions: [schema] });
  }

  deleteVersion(subject: string, version: string, { permanent }: DeleteOptions): Promise<number> {
    return this.#log.change((state) => {
      requireWritable(state, subject);
      const found = findVersion(state, { subject, version, withDeleted: true });
      if (permanent && !found.deleted) throw refusals.versionNotSoftDeleted(subject, found.version);
      if (!permanent && found.deleted) throw refusals.versionSoftDeleted(subject, found.version);
      const event = permanent
        ? ({ kind: 'schema-removed', subject, version: found.version } as const)
        : ({ kind: 'schema', version: { ...found, deleted: true } } as const);
      return { events: [event], value: found.version };
    });
  }

  /** The numbers of the versions that were deleted. */
  deleteSubject(subject: string, { permanent }: DeleteOptions): Promise<readonly number[]> {
    return this.#log.change((state) => {
      requireWritable(state, subject);
      const all = requireVersions(state, subject, { withDeleted: true });
      const live = all.filter(({ deleted }) => !deleted);
      if (permanent && live.length > 0) throw refusals.subjectNotSoftDeleted(subject);
      if (!permanent && live.length === 0) throw refusals.subjectSoftDeleted(subject);
      const deleted = permanent ? all : live;
      const upToVersion = deleted.at(-1)?.version ?? 0;
      const events = permanent
        ? deleted.map(({ version }) => ({ kind: 'schema-removed', subject, version }) as const)
        : [
            { kind: 'subject-deleted', subject, upToVersion } as const,
            { kind: 'config', subject, level: null } as const,
          ];
      return { events, value: deleted.map(({ version }) => version) };
    });
  }

  /** null removes a subject's own setting. */
  setLevel(subject: string | null, level: CompatibilityLevel | null): Promise<void> {
    return this.#log.change(() => ({ events: [{ kind: 'config', subject, level }], value: undefined }));
  }

  setMode(subject: string | null, mode: RegistryMode | null): Promise<void> {
    return this.#log.change(() => ({ events: [{ kind: 'mode', subject, mode }], value: undefined }));
  }
}

function requireWritable(state: RegistryState, subject: string): void {
  if (state.modeFor(subject) === 'READONLY') throw refusals.readOnly(subject);
}
