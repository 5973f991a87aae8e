// SPDX-License-Identifier: Apache-2.0
/** A "no" in Confluent's terms: an HTTP status, and an error code whose first three digits are that status. */
export class RegistryRefusal extends Error {
  readonly status: number;
  readonly errorCode: number;

  constructor(errorCode: number, message: string) {
    super(message);
    this.name = 'RegistryRefusal';
    this.errorCode = errorCode;
    this.status = errorCode >= 1_000 ? Math.floor(errorCode / 100) : errorCode;
  }
}

/** The registry API's refusals, by name (Confluent Schema Registry API reference, "Errors"). */
export const refusals = {
  subjectNotFound: (subject: string) => new RegistryRefusal(40401, `Subject '${subject}' not found.`),
  versionNotFound: (version: number | string) => new RegistryRefusal(40402, `Version ${version} not found.`),
  schemaNotFound: (id?: number) =>
    new RegistryRefusal(40403, id === undefined ? 'Schema not found' : `Schema ${id} not found`),
  subjectSoftDeleted: (subject: string) =>
    new RegistryRefusal(40404, `Subject '${subject}' was soft deleted. Set permanent=true to delete permanently`),
  subjectNotSoftDeleted: (subject: string) =>
    new RegistryRefusal(40405, `Subject '${subject}' was not deleted first before being permanently deleted`),
  versionSoftDeleted: (subject: string, version: number) =>
    new RegistryRefusal(
      40406,
      `Subject '${subject}' Version ${version} was soft deleted. Set permanent=true to delete permanently`,
    ),
  versionNotSoftDeleted: (subject: string, version: number) =>
    new RegistryRefusal(
      40407,
      `Subject '${subject}' Version ${version} was not deleted first before being permanently deleted`,
    ),
  noSubjectConfig: (subject: string) =>
    new RegistryRefusal(40408, `Subject '${subject}' does not have subject-level compatibility configured`),
  noSubjectMode: (subject: string) =>
    new RegistryRefusal(40409, `Subject '${subject}' does not have subject-level mode configured`),
  incompatible: (problems: readonly string[]) =>
    new RegistryRefusal(409, `Schema being registered is incompatible with an earlier schema: ${problems.join('; ')}`),
  invalidSchema: (why: string) => new RegistryRefusal(42201, `Invalid schema: ${why}`),
  invalidVersion: (version: string) =>
    new RegistryRefusal(
      42202,
      `The specified version '${version}' is not a valid version id: use 1 to 2^31-1 or "latest"`,
    ),
  invalidCompatibility: () => new RegistryRefusal(42203, 'Invalid compatibility level'),
  invalidMode: () => new RegistryRefusal(42204, 'Invalid mode. Valid values are READWRITE and READONLY'),
  readOnly: (subject: string) => new RegistryRefusal(42205, `Subject ${subject} is in read-only mode`),
  storeFailed: () => new RegistryRefusal(50001, 'The record could not be stored in the log; ask again'),
} as const;
