// SPDX-License-Identifier: Apache-2.0
import { sharedPlace, sharePlace } from './test-stack-config.ts';
import { startInFreePlace } from './test-stack-process.ts';

/** Jest's globalSetup of the tiers that need real parts. Jest accepts a default export only. */
export default async function setUpStack(): Promise<void> {
  if (sharedPlace() === undefined) sharePlace(await startInFreePlace(['kafka', 'registry', 'postgres']));
}
