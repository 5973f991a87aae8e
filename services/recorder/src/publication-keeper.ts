// SPDX-License-Identifier: Apache-2.0
import type { LsnText } from '@clyra/adapter-postgres/lsn';
import type { SourceFacts } from '@clyra/adapter-postgres/source-preflight';
import { digestOf } from '@clyra/core/canonical/digest';
import type { ClyraError } from '@clyra/core/kernel/error';
import type { Clock } from '@clyra/core/ports/clock';
import type { PositionStore } from '@clyra/core/ports/position-store';
import type { SourceIdentity } from './observation/observation-draft.ts';

/** In which state the publication was, and up to where in the log it is known to have been in it. */
type Shown = { readonly system_id: string; readonly state: string; readonly lsn: LsnText };

/** What the publication showed is not known from `from` on. */
export type PublicationBreak = {
  readonly from: LsnText;
  readonly reason: 'publication_changed' | 'publication_unverified';
};

export type PublicationKeeperOptions = {
  readonly identity: SourceIdentity;
  readonly positions: PositionStore;
  readonly clock: Clock;
  readonly onTrouble: (error: ClyraError | undefined) => void;
};

const SAVE_INTERVAL_MS = 10_000;

/**
 * Remembers over restarts how a publication showed the guarded relations. The server leaves out what a publication does
 * not have at that moment, without an error and without a trace in the stream: only the catalogue tells of it, and only
 * by comparison with before. What is remembered is lost with the file alone, and that is a gap too.
 */
export class PublicationKeeper {
  readonly #options: PublicationKeeperOptions;
  readonly #name: string;
  #savedAtMs: number;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: PublicationKeeperOptions) {
    this.#options = options;
    this.#savedAtMs = options.clock.nowMs();
    const { tenant, sourceId } = options.identity;
    this.#name = `publication-${digestOf(`${tenant}\n${sourceId}`).slice(0, 32)}`;
  }

  /** undefined where it shows what it showed all the time. `recordedLsn`: where the log of observations ends. */
  async breakOf(
    { system, publicationState }: SourceFacts,
    recordedLsn: LsnText,
  ): Promise<PublicationBreak | undefined> {
    const shown = await this.#load(system.systemId);
    if (shown === undefined) return { from: recordedLsn, reason: 'publication_unverified' };
    return shown.state === publicationState ? undefined : { from: shown.lsn, reason: 'publication_changed' };
  }

  /** From here on this state is what later ones are compared with. */
  async adopt({ system, publicationState }: SourceFacts): Promise<void> {
    await this.#saving;
    await this.#save({ system_id: system.systemId, state: publicationState, lsn: system.currentLsn });
  }

  /** While another recorder reads the slot: what it finds is its own to sign, and what it misses is found at the takeover. */
  async wait(facts: SourceFacts): Promise<void> {
    const shown = await this.#load(facts.system.systemId);
    if (shown === undefined || shown.state === facts.publicationState) await this.adopt(facts);
  }

  /** The publication was in this state when the log had come to `lsn`. A little of it may be lost with the process. */
  seen(shown: Shown): void {
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#savedAtMs < SAVE_INTERVAL_MS) return;
    this.#savedAtMs = nowMs;
    const { onTrouble } = this.#options;
    this.#saving = this.#save(shown).then(() => onTrouble(undefined), onTrouble);
  }

  async #load(systemId: string): Promise<Shown | undefined> {
    const found = (await this.#options.positions.load(this.#name)) as Partial<Shown> | undefined;
    const { system_id, state, lsn } = found ?? {};
    if (system_id !== systemId || typeof state !== 'string' || typeof lsn !== 'string') return undefined;
    return { system_id, state, lsn };
  }

  #save(shown: Shown): Promise<void> {
    return this.#options.positions.save(this.#name, shown);
  }
}
