// SPDX-License-Identifier: Apache-2.0
import { availableParallelism } from 'node:os';

/** Below this, threads that collect garbage beside the program take its cores instead of idle ones. */
const SPARE_CORES_MIN = 4;

/**
 * How a service's Node is started. A request's objects live for some milliseconds and there are many of them: in V8's
 * young space of 16 MB they are copied again and again, in one of 32 MB a half they are gone before it is full.
 */
export function serviceNodeOptions(cores: number = availableParallelism()): readonly string[] {
  return [
    '--conditions=@clyra/source',
    '--enable-source-maps',
    '--max-semi-space-size=32',
    ...(cores < SPARE_CORES_MIN ? ['--single-threaded-gc'] : []),
  ];
}
