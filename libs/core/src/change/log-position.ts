// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';

/** What of a topic's partition is there: offsets [start,end). */
export type PartitionExtent = {
  readonly topic: string;
  readonly partition: number;
  readonly start: number;
  readonly end: number;
};

/**
 * Throws CLY_POSITION_BEHIND where records at and after the offset are gone, and CLY_POSITION_AHEAD where the topic
 * ends before it: reading on from there would skip something without a word.
 */
export function requireWithin(offset: number, { topic, partition, start, end }: PartitionExtent): void {
  if (offset >= start && offset <= end) return;
  const place = `${topic}/${partition}`;
  const context = { topic, partition, offset, start, end };
  if (offset < start) {
    throw new ClyraError(
      'CLY_POSITION_BEHIND',
      `${place} must be read from offset ${offset}, and begins at ${start}: restore what was deleted`,
      { retry: 'never', context },
    );
  }
  throw new ClyraError(
    'CLY_POSITION_AHEAD',
    `${place} must be read from offset ${offset}, and ends at ${end}: restore the topic, it is shorter than it was`,
    { retry: 'never', context },
  );
}

/** CLY_POSITION_FOREIGN: a position that was saved of another log, or of another blob store, than the one at hand. */
export function foreignPosition(what: string, context: Readonly<Record<string, string | number>>): ClyraError {
  return new ClyraError(
    'CLY_POSITION_FOREIGN',
    `the saved position is of another log: ${what}; restore what it belongs to, or remove it to read from the beginning`,
    { retry: 'never', context },
  );
}
