// SPDX-License-Identifier: Apache-2.0

import type { Step } from '@clyra/cli/conformance/suite';
import { LINE } from '@clyra/verifier/testing/standard-bundle';
import { type ConformanceCase, edited, makeCase, raw } from '../conformance-case.ts';

const PLACE = '"method":"POST"';
const LINE_ONLY = 'That the rest of the line is right: reading ends at the first fault.';

/** One line is written otherwise and everything is sealed over it, so that only the grammar can refuse it. */
function line(
  [name, code, why]: readonly [name: string, code: string, why: string],
  bend: (line: string) => string,
): ConformanceCase {
  return makeCase([name, [1, 'integrity', code], why, LINE_ONLY], { bundle: edited(raw(LINE.blocked, bend)) });
}

const put = (text: string) => (from: string) => from.replace(PLACE, text);
const nested = `"method":${'{"a":'.repeat(31)}1${'}'.repeat(31)}`;

export const RECORDS: readonly ConformanceCase[] = [
  line(
    ['dup-key-same', 'CLY_JSON_DUPLICATE', 'Parsers that keep the last of two equal names never see the first.'],
    put(`${PLACE},${PLACE}`),
  ),
  line(['dup-key-diff', 'CLY_JSON_DUPLICATE', 'Two readers would take two values.'], put(`${PLACE},"method":"GET"`)),
  line(
    ['dup-key-escaped', 'CLY_JSON_CANONICAL', 'The same name once more, hidden by an escape.'],
    put(`${PLACE},"\\u006dethod":"GET"`),
  ),
  line(['dup-key-nested', 'CLY_JSON_DUPLICATE', 'A duplicate below the first level.'], (from) =>
    from.replace('"inspector":"i-1"', '"inspector":"i-1","inspector":"i-2"'),
  ),
  line(
    ['case-fold-twin', 'CLY_JSON_NAME', 'Some parsers match names whatever their case.'],
    put(`"Method":"GET",${PLACE}`),
  ),
  line(
    ['proto-key', 'CLY_JSON_NAME', 'A name that some runtimes take for more than a member.'],
    put(`"__proto__":{},${PLACE}`),
  ),
  line(['integer-like-keys', 'CLY_JSON_NAME', 'Names that some runtimes reorder.'], put(`"10":1,"9":2,${PLACE}`)),
  line(['float-value', 'CLY_JSON_NUMBER', 'No number of a record has a fraction.'], (from) =>
    from.replace('"payload_size":42', '"payload_size":42.5'),
  ),
  line(['int-2p53', 'CLY_JSON_NUMBER', 'Beyond what a double holds, two readers read two numbers.'], (from) =>
    from.replace('"payload_size":42', '"payload_size":9007199254740993'),
  ),
  line(['exp-1e400', 'CLY_JSON_NUMBER', 'Some parsers make infinity of it.'], (from) =>
    from.replace('"payload_size":42', '"payload_size":1e400'),
  ),
  line(['minus-zero', 'CLY_JSON_NUMBER', 'Zero has one form.'], (from) =>
    from.replace('"payload_size":42', '"payload_size":-0'),
  ),
  line(['lone-surrogate', 'CLY_JSON_STRING', 'No text of Unicode holds half of a pair.'], put('"method":"\\ud800"')),
  line(['noncharacter', 'CLY_JSON_STRING', 'I-JSON forbids noncharacters.'], put('"method":"\ufffe"')),
  line(['bom', 'CLY_JSON_SYNTAX', 'A mark that some readers drop and others hash.'], (from) => `\ufeff${from}`),
  line(['crlf', 'CLY_JSON_SYNTAX', 'Lines end with LF alone.'], (from) => `${from}\r`),
  line(['trailing-space', 'CLY_JSON_SYNTAX', 'Nothing follows the value.'], (from) => `${from} `),
  line(['cut-literal', 'CLY_JSON_SYNTAX', 'A word that begins like a literal, too near the end to be one.'], (from) =>
    from.replace(/0\}$/, 'f0}'),
  ),
  line(
    ['noncanonical-order', 'CLY_JSON_ORDER', 'Members are sorted, so that one value has one form.'],
    put(`${PLACE},"a":1`),
  ),
  line(['depth-33', 'CLY_JSON_DEPTH', 'Depth is bounded, so that no reader runs out of stack.'], put(nested)),
  makeCase(
    [
      'overlong-utf8',
      [1, 'integrity', 'CLY_JSON_UTF8'],
      'A slash in two bytes is a slash to a lax decoder.',
      LINE_ONLY,
    ],
    {
      bend: (files) => {
        const bytes = Buffer.from(files.get('journal.jsonl') as Buffer);
        bytes.write('\xc0\xaf', bytes.indexOf('POST'), 'latin1');
        files.set('journal.jsonl', bytes);
      },
    },
  ),
  makeCase(
    [
      'missing-final-lf',
      [1, 'integrity', 'CLY_LINE_UNTERMINATED'],
      'A file cut short may end inside a line.',
      LINE_ONLY,
    ],
    {
      bend: (files) => files.set('journal.jsonl', (files.get('journal.jsonl') as Buffer).subarray(0, -1)),
    },
  ),
  line(['line-shape-extra-member', 'CLY_LINE_SHAPE', 'Lines are closed: nothing rides along unseen.'], (from) =>
    from.replace('{"append_time"', '{"alg":"none","append_time"'),
  ),
  line(
    ['alg-from-artifact', 'CLY_LINE_SHAPE', 'The algorithm comes from the key record, never from what is judged.'],
    (from) => from.replace('"sig":{"index"', '"sig":{"alg":"none","index"'),
  ),
];

const fill = (name: string, unit: string, count: number): readonly Step[] => [
  { op: 'fill', name, head: '', unit, count, tail: '\n' },
];
const MADE = 'That smaller inputs of the kind are handled: this is the limit alone.';

export const LIMITS: readonly ConformanceCase[] = [
  makeCase(['line-65536', [1, 'integrity', 'CLY_LINE_TOO_LONG'], 'One byte more than a line may have.', MADE], {
    steps: fill('journal.jsonl', 'x', 65_536),
  }),
  makeCase(
    [
      'line-without-end',
      [1, 'integrity', 'CLY_LINE_TOO_LONG'],
      'A line of 64 MiB must be passed over in constant memory.',
      MADE,
    ],
    {
      steps: fill('journal.jsonl', 'x'.repeat(64), 1_048_576),
    },
  ),
  makeCase(['note-oversize', [2, 'integrity', 'CLY_BUNDLE_FILE_SIZE'], 'A note of 16,385 bytes.', MADE], {
    steps: fill('checkpoint', 'x', 16_384),
  }),
  makeCase(
    [
      'manifest-1mib-plus-1',
      [2, 'integrity', 'CLY_BUNDLE_FILE_SIZE'],
      'A manifest one byte too large is not parsed.',
      MADE,
    ],
    {
      steps: fill('manifest.json', 'x', 1_048_576),
    },
  ),
  makeCase(['artifact-count-plus-1', [2, 'integrity', 'CLY_BUNDLE_FILE_COUNT'], '4,097 artifacts.', MADE], {
    steps: [{ op: 'many', folder: 'artifacts', count: 4_096 }],
  }),
  makeCase(
    [
      'entries-8193',
      [2, 'integrity', 'CLY_BUNDLE_FILE_COUNT'],
      'A folder with too many entries is not listed to its end.',
      MADE,
    ],
    {
      steps: [{ op: 'many', folder: 'artifacts', count: 8_200 }],
    },
  ),
];
