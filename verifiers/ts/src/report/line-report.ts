// SPDX-License-Identifier: Apache-2.0
import type { Report } from '../checks/report.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import type { Failures } from './failures.ts';

/** Turns what a check says of a line into a failure of the journal. */
export function reporter(failures: Failures): Report {
  return ({ claim, code, at, message }) => {
    const subject = at.member === undefined ? `line ${at.line}:` : `line ${at.line}: ${at.member}`;
    failures.add({ claim, code, message: `${subject} ${message}`, location: { file: JOURNAL, ...at } });
  };
}
