// SPDX-License-Identifier: Apache-2.0
import type { ReplayOutcome, ReplayTally } from '@clyra/core/replay/replay-tally';

const WHY: Readonly<Record<string, string>> = {
  CLY_REPLAY_ARTIFACT_WITHHELD: 'need a document that is neither in the bundle nor beside it',
  CLY_REPLAY_DOCUMENT_ASSUMED: 'refused a document that is not here: whether it was valid is taken from the refusal',
  CLY_REPLAY_PREVIOUS_DIFFERS: 'follow a bundle whose own bodies cannot be derived again',
  CLY_REPLAY_ENGINE: 'were decided by an engine that this program does not carry',
  CLY_REPLAY_NO_ENDPOINT: 'requests had no test endpoint to go to: name one with --upstream',
  CLY_REPLAY_NOT_DETERMINED: 'came out otherwise in a second run: the inputs do not determine them',
  CLY_REPLAY_NOTHING_EXPECTED: 'the kit names no table to compare',
  CLY_REPLAY_SCRATCH_LIMIT: 'the repetition went over a limit and was stopped',
  CLY_REPLAY_TARGET_UNKNOWN: 'tables of requests whose target is not at hand',
  CLY_REPLAY_DBT_HOOK: 'hooks of the dbt run whose SQL stands in no artifact: what they touched may come out otherwise',
  CLY_REPLAY_DBT_KIND: 'nodes of a kind that is not repeated',
  CLY_REPLAY_DBT_SEED: 'seeds whose file cannot be loaded as dbt did',
  CLY_REPLAY_DBT_STATE: 'incremental models without the table that they changed: give it as a --base',
  CLY_REPLAY_DBT_UNBOUND: 'nodes whose SQL no line of the bundle binds: it is taken from the kit alone',
  CLY_REPLAY_UNREPLAYED: 'tables that something else wrote to as well',
  CLY_REPLAY_NOTHING: 'nothing was there to compare',
};

const NAMES_SHOWN = 50;

/** A replay as text for people: what was compared, what could not be and why, and where it came out otherwise. */
export function replayInWords(title: string, outcome: ReplayOutcome, named: ReplayTally['named'] = []): string {
  const { result, compared, not_compared: missing, first_difference: difference } = outcome;
  const lines = [`${title}: ${result.toUpperCase()}`];
  for (const { count, what } of compared) lines.push(`  equal: ${count} ${what}`);
  for (const { code, count, first } of missing) {
    lines.push(`  not compared: ${count} ${WHY[code] ?? ''}`.trimEnd());
    lines.push(`    ${code}${first === '' ? '' : `, first: ${first}`}`);
    const others = named.find((entry) => entry.code === code)?.names.slice(1) ?? [];
    for (const name of others.slice(0, NAMES_SHOWN)) lines.push(`      also: ${name}`);
    if (others.length > NAMES_SHOWN) lines.push(`      and ${others.length - NAMES_SHOWN} more: see --json`);
  }
  if (difference !== null) {
    const where = difference.leaf === null ? 'the bundle as a whole' : `leaf ${difference.leaf}`;
    lines.push(`  first difference: ${where}, ${difference.member}`);
  }
  return lines.join('\n');
}
