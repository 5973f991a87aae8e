// SPDX-License-Identifier: Apache-2.0
import { sharedPlace } from './test-stack-config.ts';
import { endStack } from './test-stack-process.ts';

/** Jest's globalTeardown beside jest-stack-setup. A stack that another process owns is left alone. */
export default async function tearDownStack(): Promise<void> {
  const place = sharedPlace();
  if (place !== undefined && place.ownerPid === process.pid) await endStack(place);
}
