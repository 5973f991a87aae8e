// SPDX-License-Identifier: Apache-2.0
import { hexOf } from '@clyra/verifier/testing/primitives';
import { LINE } from '@clyra/verifier/testing/standard-bundle';
import { at, type ConformanceCase, edited, makeCase } from '../conformance-case.ts';

const TOLD =
  'That a partner’s logs know the run under these names: the caller says so, and its intake signs that it did.';
const LINE_ONLY = 'That the rest of the line is right: reading ends at the first fault.';

const opened = (correlation: unknown, index: number = LINE.runOpened) => ({
  bundle: edited({ change: at(index, (body) => Object.assign(body, { correlation })) }),
});
const good = ([name, why]: readonly [string, string], correlation: unknown, index?: number): ConformanceCase =>
  makeCase([name, [0], why, TOLD], opened(correlation, index));
const bad = ([name, why]: readonly [string, string], correlation: unknown): ConformanceCase =>
  makeCase([name, [1, 'integrity', 'CLY_LINE_SHAPE'], why, LINE_ONLY], opened(correlation));

const NAMES = {
  actor_principal: 'spiffe://example.org/agent/7',
  approver_principal: 'login.example.com|00u1',
  client_app_id: 'teams/Bücher & Co',
};
const commitment = { $commit: hexOf('commitment') };
const EMOJI = '😀';

/** Names in the logs of partners (records.md §4, journal.md §1.1): closed, in a body that is open otherwise. */
export const CORRELATIONS: readonly ConformanceCase[] = [
  good(['correlation-good', 'All four names, one of 256 characters that are 128 code points.'], {
    ...NAMES,
    session_id: EMOJI.repeat(128),
  }),
  good(['correlation-committed', 'Two of the names are of class commit; one name alone is enough.'], {
    client_app_id: commitment,
    session_id: commitment,
  }),
  good(['correlation-of-other-kind', 'Bodies are open: of another kind the member is not judged.'], 7, LINE.runClosed),
  bad(['correlation-null', 'What is not there is absent, never null.'], null),
  bad(['correlation-empty', 'A list of names without a name.'], {}),
  bad(['correlation-member-unknown', 'Nothing rides along unseen.'], { ...NAMES, tenant: 'other' }),
  bad(['correlation-wrong-type', 'A session whose name is a number.'], { ...NAMES, session_id: 7 }),
  bad(['correlation-name-empty', 'An empty name names nothing.'], { ...NAMES, session_id: '' }),
  bad(['correlation-name-257', 'One character more than a name may have, of 256 code points.'], {
    actor_principal: `${'x'.repeat(255)}${EMOJI}`,
  }),
  bad(['correlation-name-control', 'A name that a terminal would obey.'], { approver_principal: 'ann\u007f' }),
  bad(['correlation-principal-committed', 'Who approved is no value of class commit.'], {
    approver_principal: commitment,
  }),
  bad(['correlation-commitment-extra', 'A commitment has one member.'], {
    session_id: { $commit: commitment.$commit, value: 'vs-42' },
  }),
];
