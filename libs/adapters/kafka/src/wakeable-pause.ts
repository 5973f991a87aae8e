// SPDX-License-Identifier: Apache-2.0
/** Pauses that all end at once when somebody has a reason not to wait any longer. */
export class WakeablePause {
  readonly #wakeUps = new Set<() => void>();

  wait(durationMs: number): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        this.#wakeUps.delete(end);
        resolve();
      };
      const timer = setTimeout(end, durationMs);
      this.#wakeUps.add(end);
    });
  }

  wake(): void {
    for (const wakeUp of [...this.#wakeUps]) wakeUp();
  }
}
