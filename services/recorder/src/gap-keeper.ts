// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import { type Continuity, checkContinuity } from '@clyra/adapter-postgres/slot-continuity';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { SourceIdentity } from './observation/observation-draft.ts';
import type { ObservationWriter } from './observation/observation-writer.ts';
import { gapDraft } from './observation/position-bodies.ts';
import type { SourcePosition } from './position/source-position.ts';
import type { SourcePort } from './source/source-port.ts';

export type RecordedGap = {
  readonly from_lsn: LsnText;
  readonly to_lsn: LsnText;
  readonly reason: string;
  readonly detected_at: number;
};

export type GapKeeperOptions = {
  readonly identity: SourceIdentity;
  readonly partition: number;
  readonly source: SourcePort;
  readonly writer: ObservationWriter;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onGap: (gap: RecordedGap) => void;
};

type Gap = Extract<Continuity, { readonly kind: 'gap' }>;

/**
 * Sees to it that observation never starts again quietly: where the slot does not continue from what the log holds,
 * a signed gap is in the log before the first transaction after it.
 */
export class GapKeeper {
  readonly #options: GapKeeperOptions;
  /** A gap whose end nobody knows yet is recorded once; its last part is recorded when the slot is there again. */
  #openEndedAt: LsnText | undefined;

  constructor(options: GapKeeperOptions) {
    this.#options = options;
  }

  /**
   * The facts after repair. A slot that is missing or lost is made again first, if allowed: should the recorder end
   * before the gap is recorded, the next start finds a slot ahead of the log, which is a gap as well.
   */
  async check(
    facts: SourceFacts,
    { position, mayPrepare }: { readonly position: SourcePosition; readonly mayPrepare: boolean },
  ): Promise<SourceFacts> {
    const continuity = checkContinuity(position.checkpoint, facts.system, facts.slot ?? undefined);
    if (continuity.kind === 'continue' || (position.isSetBack && position.isIn(facts.system))) return facts;
    const isReadOn = continuity.reason !== 'log_set_back';
    const after = continuity.to === null && mayPrepare && isReadOn ? await this.#remake(facts) : facts;
    const to = continuity.to ?? (after === facts ? null : (after.slot?.confirmedFlushLsn ?? null));
    await this.#record(continuity, { after, to, position });
    return after;
  }

  async #remake(facts: SourceFacts): Promise<SourceFacts> {
    if (facts.slot !== null) await this.#options.source.dropSlot();
    return this.#options.source.prepare();
  }

  async #record(
    gap: Gap,
    place: { readonly after: SourceFacts; readonly to: LsnText | null; readonly position: SourcePosition },
  ): Promise<void> {
    const { identity, partition, writer, clock, logger, onGap } = this.#options;
    const { after, position } = place;
    const before = position.incarnation;
    if (before === undefined || (place.to === null && this.#openEndedAt === position.durableText)) return;
    const toLsn = place.to ?? after.system.currentLsn;
    const facts = { before, fromLsn: gap.from, toLsn, reason: gap.reason, detectedAtMs: clock.nowMs() };
    logger.error('changes were not observed', {
      source_id: identity.sourceId,
      from_lsn: gap.from,
      to_lsn: toLsn,
      reason: gap.reason,
    });
    const { offset } = await writer.write(gapDraft(identity, facts), partition);
    if (gap.reason === 'log_set_back') {
      position.setBack(offset);
    } else {
      position.begin(after.system, toLsn);
      position.recorded(offset);
    }
    this.#openEndedAt = place.to === null ? (position.durableText ?? undefined) : undefined;
    onGap({ from_lsn: gap.from, to_lsn: toLsn, reason: gap.reason, detected_at: facts.detectedAtMs });
  }
}
