// SPDX-License-Identifier: Apache-2.0
import { sharedPlace, sharePlace } from './test-stack-config.ts';
import { endStack, startInFreePlace } from './test-stack-process.ts';

/** Once before all tests of a run: one stack for all its workers. */
export async function setUpStack(): Promise<void> {
  if (sharedPlace() === undefined) sharePlace(await startInFreePlace(['kafka', 'registry', 'postgres']));
}

/** Once after them. A stack that another process owns is left alone. */
export async function tearDownStack(): Promise<void> {
  const place = sharedPlace();
  if (place !== undefined && place.ownerPid === process.pid) await endStack(place);
}
