// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';

/** One activation: what a reverse-ETL tool would send to the CRM for a row. */
export type Activation = { readonly event: string; readonly record: unknown };

type Example = { readonly name: string; readonly examples: readonly unknown[] };

/** Every payload of @octokit/webhooks-examples (MIT): 329 real SaaS events of 58 kinds, a few hundred bytes to 27 KB. */
export function activations(): readonly Activation[] {
  const examples = createRequire(import.meta.url)('@octokit/webhooks-examples') as readonly Example[];
  return examples.flatMap(({ name, examples: records }) => records.map((record) => ({ event: name, record })));
}

export function activationBody(tenant: string, activation: Activation): string {
  return JSON.stringify({ tenant, event: activation.event, record: activation.record });
}
