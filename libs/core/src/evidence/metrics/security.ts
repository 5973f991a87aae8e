// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine } from '../journal-line.ts';

/** Different pairs that a manifest lists; what comes on top is counted together. */
export const LISTED_MAX = 256;

class Tally<Entry extends object> {
  other = 0;
  readonly #counts = new Map<string, { readonly entry: Entry; count: number }>();

  add(key: string, entry: Entry): void {
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#counts.size < LISTED_MAX) this.#counts.set(key, { entry, count: 1 });
    else this.other += 1;
  }

  ascending(): (Entry & { count: number })[] {
    return [...this.#counts]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, { entry, count }]) => ({ ...entry, count }));
  }
}

export type Security = {
  readonly reasons: readonly { readonly code: string; readonly effect: string; readonly count: number }[];
  readonly reasons_other: number;
  readonly threats: readonly { readonly threat_class: string; readonly count: number }[];
  readonly threats_other: number;
};

/** Which reasons were given in a range, and which threats they speak of. */
export class SecurityMetrics {
  readonly #reasons = new Tally<{ code: string; effect: string }>();
  readonly #threats = new Tally<{ threat_class: string }>();

  decided({ receipt: { body } }: DecidedLine): void {
    if (body.kind !== 'decided') return;
    for (const { code, effect, threat_class } of body.reasons) {
      // A code has no white space, so that the pair sorts as code and then effect.
      this.#reasons.add(`${code}\n${effect}`, { code, effect });
      if (typeof threat_class === 'string') this.#threats.add(threat_class, { threat_class });
    }
  }

  result(): Security {
    return {
      reasons: this.#reasons.ascending(),
      reasons_other: this.#reasons.other,
      threats: this.#threats.ascending(),
      threats_other: this.#threats.other,
    };
  }
}
