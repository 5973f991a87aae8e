// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { sharedPlace, sharePlace } from './test-stack-config.ts';
import { startInFreePlace, startParts, type TestConnections, type TestStackPart } from './test-stack-process.ts';

export type TestStack = TestConnections & {
  /** Different at each call: topics, consumer groups and databases named with it never meet another test's. */
  readonly topicPrefix: string;
};

const PREFIX_BYTES = 5;
let starting: Promise<void> | undefined;

/**
 * Real Kafka, schema registry and PostgreSQL for a test. All tests of a run share one stack, started by the run's
 * global set-up; without it (one file run by hand) this process starts its own. Either ends with its owner.
 */
export async function startTestStack({ parts }: { readonly parts: readonly TestStackPart[] }): Promise<TestStack> {
  if (sharedPlace() === undefined) {
    starting ??= startInFreePlace(parts).then(sharePlace);
    await starting;
  }
  const place = sharedPlace();
  if (place === undefined) throw new Error('the test stack has no place');
  const connections = await startParts(place, parts);
  return { ...connections, topicPrefix: `t${randomBytes(PREFIX_BYTES).toString('hex')}` };
}
