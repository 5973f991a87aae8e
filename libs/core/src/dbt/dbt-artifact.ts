// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError } from '../kernel/error.ts';

/** The two artifacts of a run that are read, with the one version of each whose members are known here. */
export type ArtifactKind = 'manifest' | 'run-results';
const VERSION: Readonly<Record<ArtifactKind, string>> = { manifest: 'v12', 'run-results': 'v6' };

/** Manifests hold every macro of dbt: some 500 KB before the first model. */
const LIMITS = { bytesMax: 67_108_864, depthMax: 48, valuesMax: 5_000_000 };
const TEXT_MAX = 1_048_576;
const LIST_MAX = 65_536;

/** Throws CLY_DBT_ARTIFACT for whatever is no artifact of this kind and version. */
export function parseArtifact(bytes: Uint8Array, kind: ArtifactKind): { root: JsonObject; metadata: JsonObject } {
  const root = parsed(bytes, kind);
  const metadata = isJsonObject(root) ? root['metadata'] : undefined;
  const url = isJsonObject(metadata) ? metadata['dbt_schema_version'] : undefined;
  if (url !== `https://schemas.getdbt.com/dbt/${kind}/${VERSION[kind]}.json`) {
    throw artifactError(kind, `it is not of schema version ${VERSION[kind]}, which dbt 1.8 to 1.12 write`);
  }
  return { root: root as JsonObject, metadata: metadata as JsonObject };
}

function parsed(bytes: Uint8Array, kind: ArtifactKind): JsonValue {
  try {
    return parseJson(bytes, LIMITS);
  } catch (cause) {
    if (!(cause instanceof ClyraError)) throw cause;
    throw artifactError(kind, `${cause.message} (${cause.code})`, cause);
  }
}

export function artifactError(kind: ArtifactKind, what: string, cause?: unknown): ClyraError {
  const message = `the ${kind} of the dbt run cannot be read: ${what}`;
  return new ClyraError('CLY_DBT_ARTIFACT', message, { retry: 'never', ...(cause === undefined ? {} : { cause }) });
}

/** Members of one entry; each throws CLY_DBT_ARTIFACT that names the entry and the member, never the value. */
export class ArtifactEntry {
  readonly #kind: ArtifactKind;
  readonly #where: string;
  readonly #members: JsonObject;

  constructor(kind: ArtifactKind, where: string, value: JsonValue | undefined) {
    this.#kind = kind;
    this.#where = where;
    if (!isJsonObject(value)) throw artifactError(kind, `${where} is no object`);
    this.#members = value;
  }

  entry(name: string): ArtifactEntry {
    return new ArtifactEntry(this.#kind, `${this.#where}.${name}`, this.#members[name]);
  }

  has(name: string): boolean {
    const value = this.#members[name];
    return value !== undefined && value !== null;
  }

  raw(name: string): JsonValue | undefined {
    return this.#members[name];
  }

  names(): readonly string[] {
    return Object.keys(this.#members);
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined) throw this.#wrong(name, 'a text');
    return value;
  }

  optionalText(name: string): string | undefined {
    const value = this.#members[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== 'string' || value.length > TEXT_MAX) throw this.#wrong(name, `a text of at most ${TEXT_MAX}`);
    return value;
  }

  list(name: string): readonly JsonValue[] {
    const value = this.#members[name] ?? [];
    if (!Array.isArray(value) || value.length > LIST_MAX) throw this.#wrong(name, `a list of at most ${LIST_MAX}`);
    return value as readonly JsonValue[];
  }

  texts(name: string): readonly string[] {
    return this.list(name).map((value) => {
      if (typeof value !== 'string' || value.length > TEXT_MAX) throw this.#wrong(name, 'a list of texts');
      return value;
    });
  }

  entries(name: string): readonly ArtifactEntry[] {
    return this.list(name).map((value, at) => new ArtifactEntry(this.#kind, `${this.#where}.${name}[${at}]`, value));
  }

  #wrong(name: string, what: string): ClyraError {
    return artifactError(this.#kind, `${this.#where}.${name} is not ${what}`);
  }
}
