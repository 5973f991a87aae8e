// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { readInteger, readText } from '@clyra/core/change/shape';
import type { ReplayRecord } from '@clyra/core/enforcement/trial/replay-journal';
import { parseSourceLine } from '@clyra/core/evidence/journal-line';
import { ClyraError } from '@clyra/core/kernel/error';
import { readBytes } from './read-text.ts';

const LF = 0x0a;
const KIND = /^(?:decided|observed|matched)$/;
const DECIDED = Buffer.from('"kind":"decided"');

/** The decided lines of a bundle's journal, in order. Throws CLY_CLI_JOURNAL that names the first line that is none. */
export async function readJournal(path: string): Promise<ReplayRecord[]> {
  const bytes = await readBytes(path);
  const records: ReplayRecord[] = [];
  let number = 0;
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LF, start);
    const line = bytes.subarray(start, end < 0 ? bytes.length : end);
    start = end < 0 ? bytes.length : end + 1;
    number += 1;
    // What is no journal has no decided lines either: its first line must not pass for one that is only skipped.
    if (number === 1) read(number, () => readMembers(parseRecord(line)));
    const record = line.includes(DECIDED) ? recordOf(line, number) : undefined;
    if (record !== undefined) records.push(record);
  }
  return records;
}

function recordOf(bytes: Uint8Array, number: number): ReplayRecord | undefined {
  const line = read(number, () => parseSourceLine(bytes));
  if (line.kind !== 'decided') return undefined;
  const { body } = line.receipt;
  const isDecided = body.kind === 'decided';
  return {
    change: line.change.body,
    appendTimeMs: line.appendTimeMs,
    decision: isDecided ? body.decision : undefined,
    codes: isDecided ? body.reasons.map(({ code }) => code) : [],
  };
}

/** What every line has, derived ones too. */
function readMembers(line: JsonObject): void {
  readInteger(line, 'v');
  readText(line, 'kind', KIND);
}

function read<Line>(number: number, parse: () => Line): Line {
  try {
    return parse();
  } catch (cause) {
    throw new ClyraError('CLY_CLI_JOURNAL', `line ${number} is no line of a journal: give journal.jsonl of a bundle`, {
      retry: 'never',
      cause,
    });
  }
}
