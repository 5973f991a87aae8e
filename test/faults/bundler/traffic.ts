// SPDX-License-Identifier: Apache-2.0
import type { Caller } from '../world/caller.ts';
import { activationRequest } from '../world/requests.ts';
import type { Runs } from './runs.ts';

export type TrafficOptions = {
  readonly caller: Caller;
  readonly runs: Runs;
  /** Different for each traffic of a world. */
  readonly name: string;
  /** How many changes stand between two cuts. */
  readonly changesPerRun: number;
};

const ACTOR = 'traffic';
const LANE_COUNT = 8;

/** Allowed changes and, every so many of them, a cut: each closed run seals a bundle. */
export class Traffic {
  readonly #options: TrafficOptions;
  readonly #onCut: (() => void)[] = [];
  #runCount = 0;
  #changeCount = 0;
  /** Of the newest cut, in clyra.changes. */
  #cutOffset = -1;

  constructor(options: TrafficOptions) {
    this.#options = options;
  }

  get changeCount(): number {
    return this.#changeCount;
  }

  get cutOffset(): number {
    return this.#cutOffset;
  }

  /** Resolves right after the next run was closed: the bundler is about to seal, or at it. */
  nextCut(): Promise<void> {
    return new Promise((resolve) => {
      this.#onCut.push(resolve);
    });
  }

  /** Whole runs for as long as `goOn` says so; the last one is closed. */
  async send(goOn: () => boolean): Promise<void> {
    while (goOn()) await this.#run();
  }

  async #run(): Promise<void> {
    const { runs, name, changesPerRun } = this.#options;
    this.#runCount += 1;
    const runId = `${name}-${this.#runCount}`;
    await runs.open(runId);
    const lane = async (first: number): Promise<void> => {
      for (let index = first; index < changesPerRun; index += LANE_COUNT) await this.#change(`${runId}-${index}`);
    };
    await Promise.all(Array.from({ length: LANE_COUNT }, (_, first) => lane(first)));
    const { offset } = await runs.close(runId);
    this.#cutOffset = Number(offset);
    for (const tell of this.#onCut.splice(0)) tell();
  }

  async #change(key: string): Promise<void> {
    const { status, code } = await this.#options.caller.send(activationRequest(key, ACTOR));
    if (status !== 201) throw new Error(`change ${key} was answered ${status} ${code}`);
    this.#changeCount += 1;
  }
}
