// SPDX-License-Identifier: Apache-2.0
import { setTimeout as pause } from 'node:timers/promises';
import { SeededRandom } from '@clyra/testing/seeded-random';
import type { FaultWorld } from '../world/fault-world.ts';

const FREEZE_MS_MIN = 1_100;
const FREEZE_MS_MAX = 1_800;
const DOWN_MS_MAX = 400;

export type Kills = { readonly recorder: number; readonly postgres: number };
type Target = keyof Kills;

/** Kills the recorder and PostgreSQL by turns, spread evenly, in an order that the seed decides. */
export class KillSchedule {
  readonly steps: readonly Target[];
  readonly #world: FaultWorld;
  readonly #random: SeededRandom;
  #recorderKills = 0;

  constructor(world: FaultWorld, kills: Kills, seed: number) {
    this.#world = world;
    this.#random = new SeededRandom(seed);
    this.steps = evenly(kills);
  }

  async kill(target: Target): Promise<void> {
    await (target === 'recorder' ? this.#killRecorder() : this.#killPostgres());
  }

  /**
   * Every other time the broker is frozen before: what PostgreSQL delivers then is durable nowhere, and a recorder that
   * confirmed it would lose it. The freeze spans two of its status messages to PostgreSQL.
   */
  async #killRecorder(): Promise<void> {
    const recorder = this.#world.service('recorder');
    const broker = this.#world.stackPart('kafka');
    const isFrozen = this.#recorderKills % 2 === 0;
    this.#recorderKills += 1;
    if (isFrozen) {
      broker.freeze();
      await pause(this.#random.nextInt(FREEZE_MS_MIN, FREEZE_MS_MAX));
    }
    await recorder.kill();
    if (isFrozen) broker.thaw();
    await recorder.start();
  }

  /** The recorder is on its own: it must find its way back to the slot. */
  async #killPostgres(): Promise<void> {
    const postgres = this.#world.stackPart('postgres');
    await postgres.kill();
    await pause(this.#random.nextInt(0, DOWN_MS_MAX));
    await postgres.restart();
  }
}

function evenly({ recorder, postgres }: Kills): Target[] {
  const every = Math.max(1, Math.floor((recorder + postgres) / Math.max(1, postgres)));
  const steps: Target[] = [];
  let [left, other] = [recorder, postgres];
  while (left + other > 0) {
    const isPostgres = left === 0 || (other > 0 && steps.length % every === every - 1);
    steps.push(isPostgres ? 'postgres' : 'recorder');
    if (isPostgres) other -= 1;
    else left -= 1;
  }
  return steps;
}
