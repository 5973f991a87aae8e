// SPDX-License-Identifier: Apache-2.0
/** Topic names; their settings are in schemas/topics.json. A prefix keeps test runs apart on one broker. */
export type TopicNames = {
  readonly changes: string;
  readonly receipts: string;
  readonly snapshots: string;
  readonly observations: string;
  readonly journal: string;
  readonly bundles: string;
  readonly attestations: string;
  readonly edge: string;
  readonly quarantine: string;
  readonly intents: string;
  /** One topic a tenant: `repliesTopic`. */
  readonly replies: string;
};

export function topicNames(prefix = 'clyra'): TopicNames {
  return {
    changes: `${prefix}.changes`,
    receipts: `${prefix}.receipts`,
    snapshots: `${prefix}.snapshots`,
    observations: `${prefix}.observations`,
    journal: `${prefix}.journal`,
    bundles: `${prefix}.bundles`,
    attestations: `${prefix}.attestations`,
    edge: `${prefix}.edge`,
    quarantine: `${prefix}.quarantine`,
    intents: `${prefix}.intents`,
    replies: `${prefix}.replies`,
  };
}

/** Where intake answers a tenant's intents: producers of other tenants cannot read it. */
export function repliesTopic(names: Pick<TopicNames, 'replies'>, tenant: string): string {
  return `${names.replies}.${tenant}`;
}
