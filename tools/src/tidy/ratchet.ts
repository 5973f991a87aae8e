// SPDX-License-Identifier: Apache-2.0
import type { Finding } from './finding.ts';

/** What is tolerated for now: `rule path#name` and the figure it may not pass. Entries are only lowered or removed. */
export type AllowList = Readonly<Record<string, number>>;

export const keyOf = ({ rule, path, name }: Finding): string =>
  name === undefined ? `${rule} ${path}` : `${rule} ${path}#${name}`;

/**
 * Judges findings against the allow-list and returns one line for each thing to do. A figure that got better must be
 * written down, so that it cannot get worse again.
 */
export function ratchet(findings: readonly Finding[], allowed: AllowList): readonly string[] {
  const worst = new Map<string, Finding>();
  for (const finding of findings) {
    const known = worst.get(keyOf(finding));
    if (known === undefined || known.measured < finding.measured) worst.set(keyOf(finding), finding);
  }
  const tooMuch = [...worst.values()]
    .filter((finding) => finding.measured > (allowed[keyOf(finding)] ?? 0))
    .map((finding) => `${finding.path}:${finding.line} ${finding.rule}: ${finding.message}`);
  const outdated = Object.entries(allowed).flatMap(([key, limit]) => {
    const measured = worst.get(key)?.measured;
    if (measured === undefined) return [`tools/tidy-allowlist.json: remove "${key}", it holds now`];
    return measured < limit ? [`tools/tidy-allowlist.json: lower "${key}" to ${measured}`] : [];
  });
  return [...tooMuch, ...outdated].sort();
}
