// SPDX-License-Identifier: Apache-2.0
import type { PositionStore } from '@clyra/core/ports/position-store';

/** Positions of the simulation; what is saved goes through its text, as on a disk. */
export class MemoryPositionStore implements PositionStore {
  readonly texts = new Map<string, string>();

  async load(name: string): Promise<object | undefined> {
    const text = this.texts.get(name);
    return text === undefined ? undefined : (JSON.parse(text) as object);
  }

  async save(name: string, position: object): Promise<void> {
    this.texts.set(name, JSON.stringify(position));
  }
}
