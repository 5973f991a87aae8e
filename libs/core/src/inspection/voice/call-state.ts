// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../../canonical/digest.ts';
import type { Attestation, PartnerSignal } from '../../change/conversation-facts.ts';
import type { CallRecord } from './call-record.ts';

/** What a partner's records say so far about the call of one session. */
export type CallState = {
  readonly call: string;
  /** Of the newest record. */
  readonly atMs: number;
  readonly playedAtMs: number | null;
  readonly acknowledgedAtMs: number | null;
  readonly endedAtMs: number | null;
  readonly windowMs: number | null;
  /** When that was said last, since deliveries overtake each other. */
  readonly windowAtMs: number;
  readonly attestation: Attestation | null;
  readonly caller: string | null;
  readonly contradicted: boolean;
  /** Of all records in the order in which they came: each hashes the one before. */
  readonly digest: Digest;
  readonly known: ReadonlyMap<string, Digest>;
};

/** A call with more records than this cannot be followed. */
export const CALL_RECORDS_KEPT_MAX = 512;

/**
 * A call with one more record. A record that comes again changes nothing. What cannot be true together makes the call
 * contradicted for good: which of the two was the lie is not for a machine to say.
 */
export function withRecord(before: CallState | undefined, record: CallRecord): CallState {
  const state = before ?? begun(record);
  const seen = state.known.get(record.id);
  if (seen === record.digest) return state;
  const next: CallState = {
    ...state,
    ...saidBy(state, record),
    atMs: Math.max(state.atMs, record.atMs),
    digest: digestOf(`${state.digest}\n${record.digest}`),
    known: new Map(state.known).set(record.id, record.digest),
  };
  const isAnother = seen !== undefined || state.call !== record.call || next.known.size > CALL_RECORDS_KEPT_MAX;
  return {
    ...next,
    contradicted: state.contradicted || isAnother || isOutOfOrder(next) || isSomebodyElse(state, record),
  };
}

function begun(record: CallRecord): CallState {
  return {
    call: record.call,
    atMs: 0,
    playedAtMs: null,
    acknowledgedAtMs: null,
    endedAtMs: null,
    windowMs: null,
    windowAtMs: 0,
    attestation: null,
    caller: null,
    contradicted: false,
    digest: digestOf(`clyra/voice/v0\n${record.session}`),
    known: new Map(),
  };
}

function saidBy(state: CallState, { event, atMs, windowMs, identity }: CallRecord): Partial<CallState> {
  const who = identity === null ? {} : { attestation: identity.attestation, caller: identity.caller ?? state.caller };
  const isNewer = atMs >= state.windowAtMs;
  switch (event) {
    case 'disclaimer.played':
      return { ...who, playedAtMs: Math.min(state.playedAtMs ?? atMs, atMs) };
    case 'disclaimer.acknowledged':
      return { ...who, acknowledgedAtMs: Math.min(state.acknowledgedAtMs ?? atMs, atMs) };
    case 'call.ended':
      return { ...who, endedAtMs: atMs };
    case 'barge_in.available':
      return isNewer ? { ...who, windowMs: windowMs ?? 0, windowAtMs: atMs } : who;
    case 'barge_in.unavailable':
      return isNewer ? { ...who, windowMs: null, windowAtMs: atMs } : who;
    default:
      return who;
  }
}

/** Acknowledged before it was played, or said of a call that was over. */
function isOutOfOrder({ playedAtMs, acknowledgedAtMs, endedAtMs, atMs }: CallState): boolean {
  const isTooSoon = playedAtMs !== null && acknowledgedAtMs !== null && acknowledgedAtMs < playedAtMs;
  return isTooSoon || (endedAtMs !== null && atMs > endedAtMs);
}

function isSomebodyElse({ attestation, caller }: CallState, { identity }: CallRecord): boolean {
  if (identity === null) return false;
  const isOtherLevel = attestation !== null && identity.attestation !== attestation;
  const isOtherCaller = caller !== null && identity.caller !== null && identity.caller !== caller;
  return identity.isContradictory || isOtherLevel || isOtherCaller;
}

/** What is written into the facts of a change that names the session. */
export function partnerSignal(principal: string, state: CallState): PartnerSignal {
  return {
    principal,
    at: state.atMs,
    ended: state.endedAtMs !== null,
    contradicted: state.contradicted,
    attestation: state.attestation ?? 'none',
    digest: state.digest,
    disclaimer_played: state.playedAtMs !== null,
    disclaimer_acknowledged: state.acknowledgedAtMs !== null,
    barge_in_window_ms: state.windowMs,
  };
}
