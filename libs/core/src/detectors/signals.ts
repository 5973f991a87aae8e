// SPDX-License-Identifier: Apache-2.0
import type { Signal } from './detector-pack.ts';

// A pair of flags is two tag letters of a region each; more of them spell something.
const TAG_RUN = /[\u{e0020}-\u{e007e}]{8}/u;
const OVERRIDE = /[\u202d\u202e\u2066-\u2068][^\u202c\u2069]{3}/u;
/** Three in a row inside a text: one joiner stands between the parts of an emoji, or of a word in some scripts. */
const ZERO_WIDTH_RUN =
  /(?:[\u200b\u2060-\u2064\ufeff]{3}|[a-z](?:[\u200b\u200c\u2060]|\u200d)[a-z][^\u200b\u2060]{0,3}(?:[\u200b\u200c\u2060]|\u200d)[a-z])/iu;
/** Latin letters with a Cyrillic or Greek one between them. */
const MIXED = /[a-z][\u0370-\u03ff\u0400-\u04ff][a-z]|[\u0400-\u04ff][a-z]{2}[\u0400-\u04ff]/iu;

const TESTS: Readonly<Record<Signal, RegExp>> = {
  'tag-characters': TAG_RUN,
  'bidi-override': OVERRIDE,
  'zero-width-run': ZERO_WIDTH_RUN,
  'mixed-scripts': MIXED,
};

/** Only for text beyond ASCII; there is no other in which these occur. */
export function hasSignal(text: string, signal: Signal): boolean {
  return TESTS[signal].test(text);
}
