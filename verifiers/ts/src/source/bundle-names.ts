// SPDX-License-Identifier: Apache-2.0

const MIB = 1_048_576;

interface FileRule {
  readonly pattern: RegExp;
  readonly bytesMax: number;
}

/** The files of a bundle in the order of a tar (bundle.md §1). */
const RULES: readonly FileRule[] = [
  { pattern: /^manifest\.json$/, bytesMax: MIB },
  { pattern: /^manifest\.dsse\.json$/, bytesMax: MIB },
  { pattern: /^checkpoint$/, bytesMax: 16_384 },
  { pattern: /^bundle-log\.checkpoint$/, bytesMax: 16_384 },
  { pattern: /^cosignatures\/[0-9a-f]{64}$/, bytesMax: 1_024 },
  { pattern: /^times\/[0-9a-f]{64}\.tsr$/, bytesMax: 16_384 },
  { pattern: /^replay\.dsse\.json$/, bytesMax: MIB },
  { pattern: /^VERIFY\.md$/, bytesMax: MIB },
  { pattern: /^artifacts\/[0-9a-f]{64}$/, bytesMax: 1_073_741_824 },
  { pattern: /^journal\.jsonl$/, bytesMax: 1_099_511_627_776 },
];

export const FOLDERS: ReadonlyMap<string, number> = new Map([
  ['artifacts', 4_096],
  ['cosignatures', 31],
  ['times', 16],
]);
const REQUIRED = ['manifest.json', 'manifest.dsse.json', 'checkpoint', 'journal.jsonl'];
export const BUNDLE_LOG = 'bundle-log.checkpoint';
export const JOURNAL = 'journal.jsonl';

/** The place of a name in the order of a tar, or −1 for no name of a bundle. */
export function rankOf(name: string): number {
  return RULES.findIndex(({ pattern }) => pattern.test(name));
}

export function bytesMaxOf(name: string): number {
  return RULES[rankOf(name)]?.bytesMax ?? 0;
}

/** The first file that must be there and is not. Only the manifest says whether the bundle log must be. */
export function firstMissing(files: ReadonlyMap<string, number>): string | undefined {
  return REQUIRED.find((name) => !files.has(name));
}

/** The names of a folder's files, ascending. */
export function namesIn(files: ReadonlyMap<string, number>, folder: string): readonly string[] {
  return [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort();
}
