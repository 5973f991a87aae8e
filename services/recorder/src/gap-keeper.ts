// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import { type Continuity, checkContinuity } from '@clyra/adapter-postgres/slot-continuity';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import type { Clock } from '@clyra/core/ports/clock';
import type { Logger } from '@clyra/core/ports/logger';
import type { Incarnation, SourceIdentity } from './observation/observation-draft.ts';
import type { ObservationWriter } from './observation/observation-writer.ts';
import { gapDraft } from './observation/position-bodies.ts';
import type { SourcePosition } from './position/source-position.ts';
import type { PublicationBreak } from './publication-keeper.ts';
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

  /** What the publication may have hidden, up to now. The stream goes on where it was: the position stays. */
  async recordHidden(hidden: PublicationBreak, facts: SourceFacts, position: SourcePosition): Promise<void> {
    const before = position.incarnation;
    if (before === undefined) return;
    const offset = await this.#write({ before, ...hidden, to: facts.system.currentLsn });
    position.recorded(offset);
  }

  async #remake(facts: SourceFacts): Promise<SourceFacts> {
    if (facts.slot !== null) await this.#options.source.dropSlot();
    return this.#options.source.prepare();
  }

  async #record(
    gap: Gap,
    place: { readonly after: SourceFacts; readonly to: LsnText | null; readonly position: SourcePosition },
  ): Promise<void> {
    const { after, position } = place;
    const before = position.incarnation;
    if (before === undefined || (place.to === null && this.#openEndedAt === position.durableText)) return;
    const toLsn = place.to ?? after.system.currentLsn;
    const offset = await this.#write({ before, from: gap.from, to: toLsn, reason: gap.reason });
    if (gap.reason === 'log_set_back') {
      position.setBack(offset);
    } else {
      position.begin(after.system, toLsn);
      position.recorded(offset);
    }
    this.#openEndedAt = place.to === null ? (position.durableText ?? undefined) : undefined;
  }

  /** The offset of the signed record, once the log has it. */
  async #write(gap: {
    readonly before: Incarnation;
    readonly from: LsnText;
    readonly to: LsnText;
    readonly reason: string;
  }): Promise<number> {
    const { identity, partition, writer, clock, logger, onGap } = this.#options;
    const { before, from, to, reason } = gap;
    const detectedAtMs = clock.nowMs();
    const told = { from_lsn: from, to_lsn: to, reason };
    logger.error('changes were not observed', { source_id: identity.sourceId, ...told });
    const facts = { before, fromLsn: from, toLsn: to, reason, detectedAtMs };
    const { offset } = await writer.write(gapDraft(identity, facts), partition);
    onGap({ ...told, detected_at: detectedAtMs });
    return offset;
  }
}
