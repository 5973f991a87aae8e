// SPDX-License-Identifier: Apache-2.0
import { isObject, type JsonObject } from '../json/json-value.ts';
import { closed, digest, id, oneOf, type Reader, ShapeError, text } from '../json/shape.ts';
import {
  count,
  readArtifacts,
  readCut,
  readFrontier,
  readJournalFacts,
  readOrigin,
  readProducer,
  readRange,
  readTenant,
  requireRules,
  sharedRules,
} from './manifest-parts.ts';

const readRunScope = closed({ kind: oneOf('run'), run_id: text, next_seq: count, head: digest });
const readSelection = closed({ kind: oneOf('selection') });
type Scope = ReturnType<typeof readRunScope> | ReturnType<typeof readSelection>;

const readScope: Reader<Scope> = (value, member) => {
  if (!isObject(value)) {
    throw new ShapeError(member, 'must be an object');
  }
  return value.kind === 'run' ? readRunScope(value, member) : readSelection(value, member);
};

const readMembers = closed({
  format: oneOf('clyra/export/v0'),
  tenant: readTenant,
  stream_id: id,
  origin: readOrigin,
  range: readRange,
  root: digest,
  frontier: readFrontier,
  cut: readCut,
  journal: readJournalFacts,
  artifacts: readArtifacts(oneOf('policy', 'document')),
  trust_root: digest,
  separation: oneOf('none', 'processes', 'operators'),
  producer: readProducer,
  export: closed({ of: digest, scope: readScope }),
});

/** The manifest of an export (bundle.md §8), with the value it was read from. */
export type ExportManifest = ReturnType<typeof readMembers> & { readonly value: JsonObject };

export function readExportManifest(value: JsonObject): ExportManifest {
  const manifest = readMembers(value, '');
  requireRules(sharedRules(manifest));
  return { ...manifest, value };
}
