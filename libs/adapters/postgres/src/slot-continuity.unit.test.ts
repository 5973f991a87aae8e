// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { checkContinuity, requireContinuity, type SourceCheckpoint } from './slot-continuity.ts';
import type { SlotFacts, SystemIdentity } from './slot-facts.ts';

const CHECKPOINT: SourceCheckpoint = { systemId: '7', timeline: 1, confirmedLsn: '0/A0' };
const SYSTEM: SystemIdentity = { systemId: '7', timeline: 1, currentLsn: '0/FF' };
const slotAt = (confirmedFlushLsn: string | null, walStatus = 'reserved'): SlotFacts => ({
  slot: 'clyra',
  plugin: 'pgoutput',
  database: 'shop',
  isActive: false,
  isTwoPhase: false,
  confirmedFlushLsn,
  restartLsn: confirmedFlushLsn,
  walStatus,
  safeWalSizeBytes: null,
});

describe('checkContinuity', () => {
  it.each([
    ['at the checkpoint', '0/A0'],
    ['behind it, where the last confirmation was lost', '0/90'],
    ['behind it, though its text sorts after', '0/9'],
  ])('continues from a slot %s', (_name, lsn) => {
    expect(checkContinuity(CHECKPOINT, SYSTEM, slotAt(lsn))).toEqual({ kind: 'continue' });
  });

  it('continues when nothing was promised yet', () => {
    expect(checkContinuity(undefined, SYSTEM, slotAt('0/FF'))).toEqual({ kind: 'continue' });
    expect(checkContinuity(undefined, SYSTEM, undefined)).toEqual({ kind: 'continue' });
  });

  it.each([
    ['slot_recreated', SYSTEM, slotAt('0/A1'), '0/A1'],
    ['slot_missing', SYSTEM, undefined, null],
    ['slot_lost', SYSTEM, slotAt('0/90', 'lost'), null],
    ['slot_lost', SYSTEM, slotAt(null), null],
    ['system_changed', { ...SYSTEM, systemId: '8' }, slotAt('0/90'), '0/90'],
    ['timeline_changed', { ...SYSTEM, timeline: 2 }, slotAt('0/90'), '0/90'],
    ['timeline_changed', { ...SYSTEM, timeline: 2 }, undefined, null],
    ['timeline_changed', { ...SYSTEM, timeline: 2, currentLsn: '0/9F' }, slotAt('0/90'), '0/90'],
    ['log_set_back', { ...SYSTEM, currentLsn: '0/9F' }, slotAt('0/90'), '0/90'],
    ['log_set_back', { ...SYSTEM, currentLsn: '0/9F' }, undefined, null],
  ] as const)('finds a gap: %s', (reason, system, slot, to) => {
    const gap = checkContinuity(CHECKPOINT, system, slot);
    expect(gap).toEqual({ kind: 'gap', reason, from: '0/A0', to });
    expect(() => requireContinuity(gap)).toThrow(
      expect.objectContaining({ code: 'CLY_SOURCE_GAP', retry: 'never', context: { reason, from: '0/A0', to } }),
    );
  });
});
