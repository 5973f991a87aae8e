// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../canonical/json-value.ts';
import type { ChangeOutcome } from '../change/change-body.ts';
import type { DecideInput } from './decide-input.ts';
import { type Draft, recorded } from './draft.ts';
import { EVENT_MEMORY_MS, KEY_COUNT_MAX } from './limits.ts';
import { type OpenChange, openKey, settle } from './open-change.ts';
import { trippedBy } from './tripped.ts';

/**
 * What came of an allowed change. Only the intake that holds it may say, however late: an outage of the log may make
 * the change unknown before the outcome can be stored. A change that was surely not forwarded gives everything back. "Not forwarded" for an event not seen yet is remembered: should the change still come,
 * it is refused, because its intake has already told the caller no.
 */
export function decideOutcome(input: DecideInput<ChangeOutcome>): Draft {
  const { change, state, nowMs } = input;
  const key = openKey(change.of);
  const open = state.get(key) as unknown as OpenChange | undefined;
  if (open === undefined) return withoutOpen(input);
  const { instance, epoch } = change.intake;
  const holder = open.intake.instance === instance && open.intake.epoch === epoch;
  if (!holder) return recorded('ignored', [], change.of);
  const settlement = change.outcome === 'not_forwarded' ? 'returned' : change.outcome;
  const ops = settle(state, open, { settlement, nowMs });
  const tripped = trippedBy(ops);
  ops.push({ op: 'delete', key });
  const draft = recorded(settlement, ops, change.of);
  return tripped === undefined ? draft : { ...draft, part: { ...draft.part, tripped } as Draft['part'] };
}

function withoutOpen({ change, state, nowMs }: DecideInput<ChangeOutcome>): Draft {
  const seen = state.get(`event/${change.of}`) !== undefined;
  const room = state.count('abandoned') < (KEY_COUNT_MAX['abandoned'] ?? 0);
  if (change.outcome !== 'not_forwarded' || seen || !room) return recorded('ignored', [], change.of);
  const value: JsonObject = { expires_at: nowMs + EVENT_MEMORY_MS };
  return recorded('remembered', [{ op: 'put', key: `abandoned/${change.of}`, value }], change.of);
}
