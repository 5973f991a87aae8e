// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '../documents/checkpoint.ts';
import type { Manifest } from '../documents/manifest.ts';
import { CompactRange } from '../hash/compact-range.ts';
import type { Failures } from '../report/failures.ts';

/** Whether the range begins where an earlier checkpoint ended: same origin, no gap, no overlap, no other history. */
export function checkPrevious(manifest: Manifest, previous: Checkpoint, failures: Failures): void {
  const { start } = manifest.range;
  const fail = (code: string, message: string, member: string) =>
    failures.add({ claim: 'completeness', code, message, location: { file: 'manifest.json', member } });
  if (previous.origin !== manifest.origin) {
    fail('CLY_PREVIOUS_ORIGIN', `the previous checkpoint is of ${previous.origin}`, 'origin');
  } else if (previous.size < start) {
    fail('CLY_PREVIOUS_GAP', `leaves ${previous.size} to ${start - 1} are in no bundle`, 'range.start');
  } else if (previous.size > start) {
    fail('CLY_PREVIOUS_OVERLAP', `the previous checkpoint already covers ${previous.size} leaves`, 'range.start');
  } else {
    const frontier = manifest.frontier.map((hex) => Buffer.from(hex, 'hex'));
    if (!new CompactRange(start, frontier).root().equals(previous.root)) {
      fail('CLY_PREVIOUS_FORK', 'the frontier does not give the root of the previous checkpoint', 'frontier');
    }
  }
}
