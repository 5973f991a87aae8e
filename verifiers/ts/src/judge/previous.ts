// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint } from '../documents/checkpoint.ts';
import type { Manifest } from '../documents/manifest.ts';
import { CompactRange } from '../hash/compact-range.ts';
import type { Failures } from '../report/failures.ts';

/** Whether the range continues the checkpoint that the reader kept (verification.md §3, E17). */
export function checkPrevious(manifest: Manifest, previous: Checkpoint, failures: Failures): void {
  const { start } = manifest.range;
  const frontier = manifest.frontier.map((hex) => Buffer.from(hex, 'hex'));
  const rules = [
    {
      holds: previous.origin === manifest.origin,
      code: 'CLY_PREVIOUS_ORIGIN',
      message: 'the previous checkpoint is of another log',
    },
    {
      holds: previous.size >= start,
      code: 'CLY_PREVIOUS_GAP',
      message: 'lines are missing between the previous checkpoint and the range',
    },
    {
      holds: previous.size <= start,
      code: 'CLY_PREVIOUS_OVERLAP',
      message: 'the range begins before the previous checkpoint',
    },
    {
      holds: previous.size !== start || new CompactRange(start, frontier).root().equals(previous.root),
      code: 'CLY_PREVIOUS_FORK',
      message: 'the range continues another log of the same size',
    },
  ];
  const broken = rules.find(({ holds }) => !holds);
  if (broken !== undefined) {
    const { code, message } = broken;
    failures.add({ claim: 'completeness', code, message, location: { file: 'manifest.json', member: 'frontier' } });
  }
}
