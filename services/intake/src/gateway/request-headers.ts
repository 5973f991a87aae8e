// SPDX-License-Identifier: Apache-2.0
/** Headers as they came in, order and repetitions kept: a merged view hides the second `Host`. */
export class RequestHeaders {
  /** name, value, name, value, … as sent. */
  readonly raw: readonly string[];
  readonly #values = new Map<string, string[]>();

  constructor(raw: readonly string[]) {
    this.raw = raw;
    for (let index = 0; index + 1 < raw.length; index += 2) {
      const name = (raw[index] as string).toLowerCase();
      const values = this.#values.get(name);
      if (values === undefined) this.#values.set(name, [raw[index + 1] as string]);
      else values.push(raw[index + 1] as string);
    }
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The first value, or undefined. */
  one(name: string): string | undefined {
    return this.#values.get(name)?.[0];
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }
}
