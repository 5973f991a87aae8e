// SPDX-License-Identifier: Apache-2.0
import type { Answer } from './run-verifier.ts';
import type { ClaimVerdict, Expected } from './suite.ts';

/** What an answer has otherwise than expected, in words; empty when both agree. */
export function differences(expected: Expected, answer: Answer): readonly string[] {
  if ('problem' in answer) return [answer.problem];
  const found: string[] = [];
  if (answer.exit_code !== expected.exit_code) found.push(`exit ${answer.exit_code}, not ${expected.exit_code}`);
  for (const [id, status, code] of expected.claims) {
    const own = answer.claims.find((claim) => claim[0] === id);
    if (own === undefined) found.push(`no claim ${id}`);
    else if (own[1] !== status || own[2] !== code)
      found.push(`${id} is ${words(own)}, not ${words([id, status, code])}`);
  }
  return found;
}

function words([, status, code]: ClaimVerdict): string {
  return code === null ? status : `${status} ${code}`;
}
