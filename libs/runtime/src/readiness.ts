// SPDX-License-Identifier: Apache-2.0
/**
 * Why a service cannot take work just now, by the name of what is missing. Ready means: no reason left.
 * The parts of a service block and clear their own names as they lose and regain what they need.
 */
export class Readiness {
  readonly #reasons = new Map<string, string>();

  /** `reason` is for a person: what is missing and what the service does about it. */
  block(name: string, reason: string): void {
    this.#reasons.set(name, reason);
  }

  clear(name: string): void {
    this.#reasons.delete(name);
  }

  /** Blocks with a reason, clears without one. */
  report(name: string, reason: string | undefined): void {
    if (reason === undefined) this.clear(name);
    else this.block(name, reason);
  }

  get ready(): boolean {
    return this.#reasons.size === 0;
  }

  reasonOf(name: string): string | undefined {
    return this.#reasons.get(name);
  }

  /** Ascending by name. */
  reasons(): readonly { readonly name: string; readonly reason: string }[] {
    return [...this.#reasons]
      .map(([name, reason]) => ({ name, reason }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }
}
