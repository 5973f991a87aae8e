// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import {
  MAJOR_WITH_SCHEMAS,
  type PublicationFacts,
  type PublishedOperation,
  type PublishedRelation,
  readPublication,
} from './publication-facts.ts';
import { requireNoRefusal, type SourceProblem } from './source-problem.ts';
import type { SqlClient } from './sql-client.ts';
import { quoteIdentifier, quoteLiteral, quoteRelation, type RelationName } from './sql-identifier.ts';

/** What the policy lists as guarded. A schema covers relations made later too, as dbt makes them. */
export type GuardedRelations = {
  readonly tables: readonly RelationName[];
  readonly schemas: readonly string[];
};

const ALL_OPERATIONS: readonly PublishedOperation[] = ['insert', 'update', 'delete', 'truncate'];

/**
 * Refuses what would break somebody's writes (an update published for a table without replica identity) and what
 * would hide a guarded change (not published, filtered). Warns of what may become so with the next table.
 */
export function publicationProblems(
  publication: PublicationFacts,
  guarded: GuardedRelations,
): readonly SourceProblem[] {
  return [
    ...identityProblems(publication),
    ...coverageProblems(publication, guarded),
    ...partitionProblems(publication, guarded),
    ...operationProblems(publication),
  ];
}

function rewritesRows(publication: PublicationFacts): boolean {
  return publication.operations.includes('update') || publication.operations.includes('delete');
}

function identityProblems(publication: PublicationFacts): readonly SourceProblem[] {
  if (!rewritesRows(publication)) {
    return [];
  }
  const problems = publication.relationsWithoutIdentity.map(
    (relation): SourceProblem => ({
      code: 'CLY_SOURCE_REPLICA_IDENTITY_MISSING',
      severity: 'refuse',
      message: `Give ${quoteRelation(relation)} a replica identity, or publish only insert and truncate: as it is, its updates and deletes fail.`,
      repairSql: `ALTER TABLE ${quoteRelation(relation)} REPLICA IDENTITY FULL;`,
    }),
  );
  if (publication.publishesAllTables || publication.publishesSchemas.length > 0) {
    problems.push({
      code: 'CLY_SOURCE_PUBLICATION_GROWS',
      severity: 'warn',
      message:
        'The publication takes in tables made later. A later table without a primary key cannot be updated: publish insert and truncate only, or set the replica identity where the table is made.',
      repairSql: `ALTER PUBLICATION ${quoteIdentifier(publication.name)} SET (publish = 'insert, truncate');`,
    });
  }
  return problems;
}

function coverageProblems(publication: PublicationFacts, guarded: GuardedRelations): readonly SourceProblem[] {
  const published = new Set([...publication.members, ...publication.relations].map(quoteRelation));
  const publishedSchemas = new Set(publication.publishesSchemas);
  const problems: SourceProblem[] = [];
  for (const table of guarded.tables) {
    // A schema that is published covers a table in it even before the table is made.
    if (!published.has(quoteRelation(table)) && !publishedSchemas.has(table.schema)) {
      problems.push(unpublished(publication, `TABLE ${quoteRelation(table)}`));
    }
  }
  for (const schema of guarded.schemas) {
    if (!publication.publishesAllTables && !publishedSchemas.has(schema)) {
      problems.push(unpublished(publication, `TABLES IN SCHEMA ${quoteIdentifier(schema)}`));
    }
  }
  const guardedTables = new Set(guarded.tables.map(quoteRelation));
  const guardedSchemas = new Set(guarded.schemas);
  for (const relation of publication.relations) {
    const root = { schema: relation.rootSchema, name: relation.rootName };
    const isGuarded = guardedTables.has(quoteRelation(relation)) || guardedTables.has(quoteRelation(root));
    if (isGuarded || guardedSchemas.has(relation.schema) || guardedSchemas.has(root.schema)) {
      problems.push(...filterProblems(publication, relation));
    }
  }
  return problems;
}

/** What is written to a partition is to arrive under the name by which it is guarded and granted. */
function partitionProblems(publication: PublicationFacts, guarded: GuardedRelations): readonly SourceProblem[] {
  const tables = new Set(guarded.tables.map(quoteRelation));
  const schemas = new Set(guarded.schemas);
  const names = publication.partitioned
    .filter((table) => tables.has(quoteRelation(table)) || schemas.has(table.schema))
    .map(quoteRelation);
  if (names.length === 0) return [];
  if (publication.publishesViaRoot) {
    return [
      {
        code: 'CLY_SOURCE_PARTITION_TRUNCATE_HIDDEN',
        severity: 'warn',
        message: `A TRUNCATE of one partition of ${names.join(', ')} is not sent: let nobody truncate partitions by themselves.`,
        repairSql: null,
      },
    ];
  }
  return [
    {
      code: 'CLY_SOURCE_PARTITIONS_APART',
      severity: 'refuse',
      message: `Publish ${names.join(', ')} under their own names: as it is, what is written to them arrives under the names of partitions, which nobody guards.`,
      repairSql: `ALTER PUBLICATION ${quoteIdentifier(publication.name)} SET (publish_via_partition_root = true);`,
    },
  ];
}

function unpublished(publication: PublicationFacts, what: string): SourceProblem {
  return {
    code: 'CLY_SOURCE_RELATION_UNPUBLISHED',
    severity: 'refuse',
    message: `Publish ${what}: it is guarded, and its changes do not reach the recorder. A table that was dropped and made again leaves a publication; a published schema keeps it.`,
    repairSql: `ALTER PUBLICATION ${quoteIdentifier(publication.name)} ADD ${what};`,
  };
}

function filterProblems(publication: PublicationFacts, relation: PublishedRelation): readonly SourceProblem[] {
  if (!relation.hasRowFilter && !relation.hasColumnList) {
    return [];
  }
  const table = quoteRelation(relation);
  const name = quoteIdentifier(publication.name);
  return [
    {
      code: 'CLY_SOURCE_PUBLICATION_FILTERED',
      // A column list keeps every change visible and narrows what its digest covers; a row filter hides changes.
      severity: relation.hasRowFilter ? 'refuse' : 'warn',
      message: `Publish ${table} without a ${relation.hasRowFilter ? 'row filter' : 'column list'}: it is guarded, and part of it does not reach the recorder.`,
      repairSql: `ALTER PUBLICATION ${name} DROP TABLE ${table}; ALTER PUBLICATION ${name} ADD TABLE ${table};`,
    },
  ];
}

function operationProblems(publication: PublicationFacts): readonly SourceProblem[] {
  const problems: SourceProblem[] = [];
  const missing = ALL_OPERATIONS.filter((operation) => !publication.operations.includes(operation));
  if (missing.length > 0) {
    problems.push({
      code: 'CLY_SOURCE_OPERATION_UNPUBLISHED',
      severity: 'warn',
      message: `The publication leaves out ${missing.join(', ')}: the coverage must say so. To include them, every table first needs a replica identity.`,
      repairSql: null,
    });
  }
  return problems;
}

export type PublicationRequest = {
  readonly name: string;
  readonly guarded: GuardedRelations;
  /** Schemas that dbt builds are safe only with insert and truncate. Default: all four. */
  readonly operations?: readonly PublishedOperation[];
  readonly serverMajor: number;
};

/** For exactly the guarded relations; a publication FOR ALL TABLES is never made. */
export function createPublicationSql(request: PublicationRequest): string {
  const { tables, schemas } = request.guarded;
  if (schemas.length > 0 && request.serverMajor < MAJOR_WITH_SCHEMAS) {
    throw new ClyraError(
      'CLY_SOURCE_SCHEMA_UNSUPPORTED',
      'Guard tables by name: a whole schema can be published from PostgreSQL 15 on only.',
      { retry: 'never', context: { serverMajor: request.serverMajor } },
    );
  }
  const objects = [
    // One list after one TABLE: what 13 and 14 understand too.
    ...(tables.length === 0 ? [] : [`TABLE ${tables.map(quoteRelation).join(', ')}`]),
    ...schemas.map((schema) => `TABLES IN SCHEMA ${quoteIdentifier(schema)}`),
  ];
  if (objects.length === 0) {
    throw new ClyraError(
      'CLY_SOURCE_NOTHING_GUARDED',
      'List at least one guarded table or schema: a publication of everything is never made.',
      { retry: 'never' },
    );
  }
  const operations = (request.operations ?? ALL_OPERATIONS).join(', ');
  // What is written to a partition is named after the table that is guarded; other tables are named as ever.
  const options = `publish = ${quoteLiteral(operations)}, publish_via_partition_root = true`;
  return `CREATE PUBLICATION ${quoteIdentifier(request.name)} FOR ${objects.join(', ')} WITH (${options})`;
}

/**
 * Makes the publication and judges it before its transaction commits, so that no write can ever meet an unsafe one.
 * Rejects with the first refusal's code and leaves nothing behind. Needs ownership of the tables, and a superuser
 * for whole schemas.
 */
export function createPublication(client: SqlClient, request: PublicationRequest): Promise<PublicationFacts> {
  const sql = createPublicationSql(request);
  return client.transaction(async (session) => {
    await session.query(sql);
    const publication = await readPublication(session, { name: request.name, serverMajor: request.serverMajor });
    if (publication === undefined) {
      throw new ClyraError('CLY_SOURCE_PUBLICATION_MISSING', 'The publication just made cannot be read. Try again.', {
        retry: 'backoff',
      });
    }
    requireNoRefusal(publicationProblems(publication, request.guarded));
    return publication;
  });
}
