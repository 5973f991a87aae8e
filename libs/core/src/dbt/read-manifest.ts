// SPDX-License-Identifier: Apache-2.0
import { ArtifactEntry, artifactError, parseArtifact } from './dbt-artifact.ts';
import { parseRelationName, type RenderedRelation } from './relation-name.ts';

/** One node of dbt's graph, as far as a replay needs it. */
export type DbtNode = {
  readonly id: string;
  /** `model`, `seed`, `snapshot`, `test`, `source`, `operation` or what dbt adds. */
  readonly type: string;
  readonly language: string;
  readonly materialized: string;
  /** Absent for what leaves no relation. */
  readonly relation: RenderedRelation | undefined;
  readonly dependsOn: readonly string[];
  readonly compiled: string | undefined;
  readonly hasHooks: boolean;
  readonly hasContract: boolean;
  readonly incrementalStrategy: string | undefined;
  readonly onSchemaChange: string;
  readonly failCalc: string;
  readonly limit: number | undefined;
  readonly storesFailures: boolean;
  readonly packageName: string;
  /** From the folder of its package. */
  readonly file: string;
  /** SHA-256 that dbt took of a seed's file; absent where it took another. */
  readonly checksum: string | undefined;
  readonly delimiter: string;
};

export type DbtManifest = {
  readonly invocationId: string;
  readonly adapter: string;
  readonly dbtVersion: string;
  readonly nodes: ReadonlyMap<string, DbtNode>;
};

const ID = /^[a-z_]{1,32}\.[^\u0000-\u001f\u007f]{1,512}$/;
const NODES_MAX = 20_000;

/** Throws CLY_DBT_ARTIFACT for bytes that are no manifest.json of the known version. */
export function readManifest(bytes: Uint8Array): DbtManifest {
  const { root, metadata } = parseArtifact(bytes, 'manifest');
  const about = new ArtifactEntry('manifest', 'metadata', metadata);
  const nodes = new Map<string, DbtNode>();
  for (const group of ['nodes', 'sources']) {
    const entries = new ArtifactEntry('manifest', group, root[group]);
    if (nodes.size + entries.names().length > NODES_MAX)
      throw artifactError('manifest', `more than ${NODES_MAX} nodes`);
    for (const id of entries.names()) {
      if (!ID.test(id)) throw artifactError('manifest', `${group} has a name that is no unique id`);
      nodes.set(id, readNode(id, entries.entry(id)));
    }
  }
  return {
    invocationId: about.text('invocation_id'),
    adapter: about.text('adapter_type'),
    dbtVersion: about.text('dbt_version'),
    nodes,
  };
}

function readNode(id: string, node: ArtifactEntry): DbtNode {
  if (node.text('unique_id') !== id)
    throw artifactError('manifest', 'a node stands under another unique id than its own');
  const config = node.entry('config');
  const relation = node.optionalText('relation_name');
  const rendered = relation === undefined ? undefined : parseRelationName(relation);
  if (relation !== undefined && rendered === undefined) {
    throw artifactError('manifest', `the relation name of ${id} is not database.schema.name`);
  }
  const limit = config.raw('limit');
  return {
    id,
    type: node.text('resource_type'),
    language: node.optionalText('language') ?? 'sql',
    materialized: config.optionalText('materialized') ?? '',
    relation: rendered,
    dependsOn: node.has('depends_on') ? node.entry('depends_on').texts('nodes') : [],
    compiled: node.optionalText('compiled_code'),
    hasHooks: config.list('pre-hook').length > 0 || config.list('post-hook').length > 0,
    hasContract: config.has('contract') && config.entry('contract').raw('enforced') === true,
    incrementalStrategy: config.optionalText('incremental_strategy'),
    onSchemaChange: config.optionalText('on_schema_change') ?? 'ignore',
    failCalc: config.optionalText('fail_calc') ?? 'count(*)',
    limit: Number.isSafeInteger(limit) ? (limit as number) : undefined,
    storesFailures: config.raw('store_failures') === true || config.has('store_failures_as'),
    packageName: node.optionalText('package_name') ?? '',
    file: node.optionalText('original_file_path') ?? '',
    checksum: checksumOf(node),
    delimiter: config.optionalText('delimiter') ?? ',',
  };
}

function checksumOf(node: ArtifactEntry): string | undefined {
  if (!node.has('checksum')) return undefined;
  const checksum = node.entry('checksum');
  return checksum.optionalText('name') === 'sha256' ? checksum.optionalText('checksum') : undefined;
}
