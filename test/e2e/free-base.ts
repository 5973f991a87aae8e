// SPDX-License-Identifier: Apache-2.0
import { portBaseOf } from '../faults/world/world-ports.ts';
import { answeringPorts } from './left-overs.ts';

const ATTEMPT_COUNT = 20;

/** The first port of a block in which nobody answers. */
export async function freeBase(portCount: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPT_COUNT; attempt += 1) {
    const base = portBaseOf(attempt);
    const wanted = Array.from({ length: portCount }, (_, index) => base + index);
    if ((await answeringPorts(wanted)).length === 0) return base;
  }
  throw new Error('no block of free ports was found');
}
