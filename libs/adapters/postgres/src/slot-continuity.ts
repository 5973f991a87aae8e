// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { compareLsn, type LsnText } from './lsn.ts';
import type { SlotFacts, SystemIdentity } from './slot-facts.ts';

/** What was recorded durably before the last confirmation: idle positions (keepalives) included. */
export type SourceCheckpoint = {
  readonly systemId: string;
  readonly timeline: number;
  /** The highest position ever passed to `confirm`, or higher. */
  readonly confirmedLsn: LsnText;
};

export type GapReason =
  | 'slot_recreated'
  | 'slot_lost'
  | 'system_changed'
  | 'timeline_changed'
  | 'log_set_back'
  | 'slot_missing';

/**
 * Whether the slot still holds everything after the checkpoint. In a gap, changes after `from` and up to `to` were
 * not observed; `to` is null while nobody can say where observation begins again, and is a position of the new
 * cluster or timeline when that changed.
 */
export type Continuity =
  | { readonly kind: 'continue' }
  | { readonly kind: 'gap'; readonly reason: GapReason; readonly from: LsnText; readonly to: LsnText | null };

/**
 * A slot only ever starts at its own confirmed position, which this recorder moved to at most the checkpoint.
 * A slot that stands beyond it was made again, or moved by somebody else. A log that ends before it was set back, as
 * a copy of the disks does: what is written there has positions that stand for other transactions already. Without a
 * checkpoint nothing was promised yet, so there is nothing to miss.
 */
export function checkContinuity(
  previous: SourceCheckpoint | undefined,
  system: SystemIdentity,
  slot: SlotFacts | undefined,
): Continuity {
  if (previous === undefined) {
    return { kind: 'continue' };
  }
  const usable = slot === undefined || slot.walStatus === 'lost' ? null : slot.confirmedFlushLsn;
  const gap = (reason: GapReason): Continuity => ({ kind: 'gap', reason, from: previous.confirmedLsn, to: usable });
  if (system.systemId !== previous.systemId) {
    return gap('system_changed');
  }
  if (system.timeline !== previous.timeline) {
    return gap('timeline_changed');
  }
  // The server only ever sends what it has flushed, so its own log never ends before what was read of it.
  if (compareLsn(system.currentLsn, previous.confirmedLsn) < 0) {
    return gap('log_set_back');
  }
  if (slot === undefined) {
    return gap('slot_missing');
  }
  if (usable === null) {
    return gap('slot_lost');
  }
  return compareLsn(usable, previous.confirmedLsn) > 0 ? gap('slot_recreated') : { kind: 'continue' };
}

/** For `admit` of the stream: throws CLY_SOURCE_GAP (retry: never) until the gap has been recorded. */
export function requireContinuity(continuity: Continuity): void {
  if (continuity.kind === 'gap') {
    throw new ClyraError(
      'CLY_SOURCE_GAP',
      'The slot does not continue from the last recorded position. Record the gap as an observation, then start from the slot.',
      { retry: 'never', context: { reason: continuity.reason, from: continuity.from, to: continuity.to } },
    );
  }
}
