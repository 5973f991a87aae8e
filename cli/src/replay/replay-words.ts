// SPDX-License-Identifier: Apache-2.0
import type { ReplayOutcome } from '@clyra/core/replay/replay-tally';

const WHY: Readonly<Record<string, string>> = {
  CLY_REPLAY_ARTIFACT_WITHHELD: 'need a document that is neither in the bundle nor beside it',
  CLY_REPLAY_DOCUMENT_ASSUMED: 'refused a document that is not here: whether it was valid is taken from the refusal',
  CLY_REPLAY_PREVIOUS_DIFFERS: 'follow a bundle whose own bodies cannot be derived again',
  CLY_REPLAY_ENGINE: 'were decided by an engine that this program does not carry',
  CLY_REPLAY_NOTHING: 'nothing was there to compare',
};

/** A replay as text for people: what was compared, what could not be and why, and where it came out otherwise. */
export function replayInWords(title: string, outcome: ReplayOutcome): string {
  const { result, compared, not_compared: missing, first_difference: difference } = outcome;
  const lines = [`${title}: ${result.toUpperCase()}`];
  for (const { count, what } of compared) lines.push(`  equal: ${count} ${what}`);
  for (const { code, count, first } of missing) {
    lines.push(`  not compared: ${count} ${WHY[code] ?? ''}`.trimEnd());
    lines.push(`    ${code}${first === '' ? '' : `, first: ${first}`}`);
  }
  if (difference !== null) {
    const where = difference.leaf === null ? 'the bundle as a whole' : `leaf ${difference.leaf}`;
    lines.push(`  first difference: ${where}, ${difference.member}`);
  }
  return lines.join('\n');
}
