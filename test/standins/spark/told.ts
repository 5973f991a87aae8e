// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { ObservedStatement } from '@clyra/recorder/warehouse/observed-statement';

/** A statement as one look gave it, in the words of `expectedOf`. */
export function toldByLook(statement: ObservedStatement): object {
  const {
    operation,
    maintenance = false,
    relations,
    countsUnknown = false,
    tokenHashes,
    runId = null,
    link,
  } = statement;
  return {
    ...{ operation, maintenance, countsUnknown, tokenHashes, runId, link },
    relations: relations.map(({ schema: _schema, name: _name, ...counts }) => counts),
  };
}

/** The same of an observation in the log. */
export function toldByLeaf(body: JsonObject): object {
  const statement = body['statement'] as JsonObject;
  const {
    operation,
    maintenance = false,
    counts_unknown: countsUnknown = false,
    run_id: runId = null,
    link,
  } = statement;
  const relations = body['relations'] as JsonObject[];
  return {
    ...{ operation, maintenance, countsUnknown, tokenHashes: body['token_hashes'], runId, link },
    relations: relations.map((relation) => {
      const { inserts, updates, deletes, truncates, ddl } = relation;
      return { inserts, updates, deletes, truncates, ...(ddl === undefined ? {} : { ddl }) };
    }),
  };
}
