// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';

export type ShadowRow = {
  /** Section and id of the policy's rule. */
  readonly rule: string;
  /** What it would have refused for: a detector's rule, or a code. */
  readonly cause: string;
  /** Requests that would have been stopped, of all that were decided. */
  readonly wouldBlock: number;
  readonly requests: number;
  /** Bounds of the share in 95 of 100 such reports. */
  readonly low: number;
  readonly high: number;
};

/** Counts, from receipts, what rules in shadow would have done: what to look at before a rule gets an effect. */
export class ShadowReport {
  readonly #counts = new Map<string, number>();
  #requests = 0;

  /** A receipt's body; others than those of decided requests are passed over. */
  add(body: JsonObject): void {
    if (body['kind'] !== 'decided' || body['change_kind'] !== 'change.requested') return;
    this.#requests += 1;
    const reasons = Array.isArray(body['reasons']) ? (body['reasons'] as readonly JsonValue[]) : [];
    const causes = new Set(reasons.flatMap(causeOf));
    for (const cause of causes) this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + 1);
  }

  /** Most frequent first. */
  rows(): readonly ShadowRow[] {
    const rows = [...this.#counts].map(([key, wouldBlock]): ShadowRow => {
      const [rule, cause] = key.split('\n') as [string, string];
      return { rule, cause, wouldBlock, requests: this.#requests, ...wilsonInterval(wouldBlock, this.#requests) };
    });
    return rows.sort((a, b) => b.wouldBlock - a.wouldBlock || (a.rule + a.cause < b.rule + b.cause ? -1 : 1));
  }
}

function causeOf(reason: JsonValue): string[] {
  if (!isJsonObject(reason) || (reason['effect'] !== 'shadow' && reason['effect'] !== 'warn')) return [];
  const { rule, detail, code } = reason;
  return [`${String(rule)}\n${typeof detail === 'string' ? detail : String(code)}`];
}

const Z_95 = 1.959963984540054;

/**
 * Wilson's score interval (1927) of a share: unlike the usual one it says something for no hits, or few, which is what a
 * quiet rule has.
 */
export function wilsonInterval(hits: number, total: number): { readonly low: number; readonly high: number } {
  if (total === 0) return { low: 0, high: 1 };
  const share = hits / total;
  const z2 = Z_95 * Z_95;
  const centre = share + z2 / (2 * total);
  const spread = Z_95 * Math.sqrt((share * (1 - share)) / total + z2 / (4 * total * total));
  const scale = 1 + z2 / total;
  return { low: Math.max(0, (centre - spread) / scale), high: Math.min(1, (centre + spread) / scale) };
}
