// SPDX-License-Identifier: Apache-2.0
import { anything, ascending, closed, digest, integer, list, nullable, oneOf, text } from '../json/shape.ts';

export const REPLAY_TYPE = 'https://clyra.dev/replay/v0';
const count = integer(0);

/** What a replay certificate says (statements.md §2). */
export const readReplayPredicate = closed({
  kind: oneOf('reperformance', 'data'),
  result: oneOf('success', 'partial', 'failed'),
  range: closed({ start: count, end: count }),
  origin: text,
  engine: anything,
  compared: ascending(list(closed({ count, what: text })), ({ what }) => what),
  not_compared: ascending(list(closed({ code: text, count, first: text })), ({ code }) => code),
  first_difference: nullable(closed({ leaf: nullable(count), member: text })),
  inputs: ascending(list(digest), (one) => one),
  performer: closed({ name: text, version: text }),
});
export type ReplayPredicate = ReturnType<typeof readReplayPredicate>;
