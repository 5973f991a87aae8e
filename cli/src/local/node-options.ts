// SPDX-License-Identifier: Apache-2.0
import type { ServiceName } from './layout.ts';

const LEAN_START = new URL('../../../libs/runtime/start/lean-start.mjs', import.meta.url).href;

/**
 * Who waits for these two is a request, and a collection of the whole heap held every request up for 200 to 400 ms, ten
 * times in 25 s at 500 requests/s on two cores. The halves of V8's young space hold 16 MB: measured with `gateway.bench`,
 * 32 MB made collections longer (p95 of a request 107 ms instead of 58 to 88), and 8 MB too frequent. As many background
 * threads as there are cores to spare, where by default four mark the heap at once; and it is marked when it has tripled.
 * Without pretenuring: what lived long in one busy second is put among the old from then on, and takes with it all of
 * the request it belongs to, so that an intake which once stood still fills its heap with 6 MB a second for ever, and as
 * much of buffers.
 */
const FOR_LATENCY = [
  '--max-semi-space-size=16',
  '--v8-pool-size=0',
  '--heap-growing-percent=200',
  '--no-allocation-site-pretenuring',
];

/**
 * These stand behind the log, and are small: the heap grows by half before it is collected, not to
 * four times what lives. Measured with `recorder.bench`: 112 MB instead of 193 at 500 transactions a second.
 */
const FOR_MEMORY = ['--max-semi-space-size=2', '--heap-growing-percent=50'];

/**
 * As small, and quick where it catches up: what is on its way into the log then outlives several collections of the young
 * space, and is copied by each. The heap may triple while it catches up, as it does at the start, and by `memory-at-rest.ts`
 * no more than 20 % otherwise. Halves of 4 MB take 3 MB more at 500 transactions a second than those of 2, and those of 8
 * another 6. Without background threads, since the database and the broker want the cores. Without V8's middle compiler, whose
 * work areas stay with the process: 12 MB at 500 transactions a second, and no backlog was slower without it. Without the
 * heap that Node's program comes with, 4 MB of pages that are otherwise read for a start some milliseconds shorter.
 */
const FOR_CATCHING_UP = [
  '--max-semi-space-size=4',
  '--v8-pool-size=0',
  '--heap-growing-percent=200',
  '--no-allocation-site-pretenuring',
  '--no-maglev',
  '--no-node-snapshot',
];

const TUNING: Readonly<Record<ServiceName, readonly string[]>> = {
  intake: FOR_LATENCY,
  enforcer: FOR_LATENCY,
  recorder: FOR_CATCHING_UP,
  bundler: FOR_MEMORY,
  attestor: FOR_MEMORY,
};

/** How a service's Node is started. `gc` is for the end of its start (`runMain`). */
export function serviceNodeOptions(service: ServiceName): readonly string[] {
  const common = ['--conditions=@clyra/source', '--disable-warning=ExperimentalWarning', '--expose-gc'];
  return [...common, `--import=${LEAN_START}`, ...TUNING[service]];
}
