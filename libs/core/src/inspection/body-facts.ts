// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '../canonical/json-value.ts';
import {
  COMMIT_SHA,
  type DeployFact,
  type PartnerSignal,
  type RowsFact,
  type VoiceFact,
} from '../change/conversation-facts.ts';
import { appliesTo, type Policy } from '../policy/policy.ts';
import type { VoiceRule } from '../policy/policy-rules.ts';
import { valueAt } from './json-pointer.ts';
import { plainName } from './plain-name.ts';

export type BodySource = {
  readonly policy: Policy;
  readonly routeId: string;
  readonly body: JsonValue | undefined;
  /** Whether the credential is a registered partner's, such as a telephony gateway's. */
  readonly isPartner: boolean;
  readonly calls?: CallLog;
};

/** What partners' call logs say about a session; undefined where they do not know it. */
export type CallLog = (session: string) => PartnerSignal | undefined;

export type BodyFacts = {
  readonly voice?: readonly VoiceFact[];
  readonly deploy?: readonly DeployFact[];
  readonly rows?: readonly RowsFact[];
};

/** What the rules of the route ask a body for. A member that is missing, or of another kind, is there as null. */
export function bodyFacts(source: BodySource): BodyFacts {
  const voice = voiceFacts(source);
  const deploy = deployFacts(source);
  const rows = rowsFacts(source);
  return {
    ...(voice.length === 0 ? {} : { voice }),
    ...(deploy.length === 0 ? {} : { deploy }),
    ...(rows.length === 0 ? {} : { rows }),
  };
}

function voiceFacts(source: BodySource): VoiceFact[] {
  const { policy, routeId, calls, isPartner } = source;
  return policy.voice
    .filter((rule) => appliesTo(rule, routeId))
    .map((rule) => {
      const fact = voiceFact(rule, source);
      const isAsked = rule.asserted_by === 'partner' && !isPartner && fact.session !== null;
      const signal = isAsked ? calls?.(fact.session) : undefined;
      return signal === undefined ? fact : withSignal(fact, signal);
    });
}

function voiceFact(rule: VoiceRule, { body, isPartner }: BodySource): VoiceFact {
  return {
    rule: rule.id,
    session: nameAt(body, rule.session),
    disclaimer_played: flagAt(body, rule.disclaimer_played),
    disclaimer_acknowledged: flagAt(body, rule.disclaimer_acknowledged),
    barge_in_available: flagAt(body, rule.barge_in_available),
    barge_in_window_ms: countAt(body, rule.barge_in_window_ms),
    asserted_by: isPartner ? 'partner' : 'caller',
  };
}

/** The partner's word instead of the caller's; where the caller denies what it says, one of the two is wrong. */
function withSignal(fact: VoiceFact, signal: PartnerSignal): VoiceFact {
  const { principal, at, ended, attestation, digest, disclaimer_played: played, barge_in_window_ms: window } = signal;
  const { disclaimer_acknowledged: acknowledged } = signal;
  const isDenied =
    (played && fact.disclaimer_played === false) || (acknowledged && fact.disclaimer_acknowledged === false);
  return {
    rule: fact.rule,
    session: fact.session,
    disclaimer_played: played,
    disclaimer_acknowledged: acknowledged,
    barge_in_available: window !== null,
    barge_in_window_ms: window,
    asserted_by: 'partner',
    signal: { principal, at, ended, contradicted: signal.contradicted || isDenied, attestation, digest },
  };
}

function deployFacts({ policy, routeId, body }: BodySource): DeployFact[] {
  return policy.deploy
    .filter((rule) => appliesTo(rule, routeId))
    .map((rule) => ({
      rule: rule.id,
      commit: commitAt(body, rule.commit),
      artifact: rule.artifact === null ? null : nameAt(body, rule.artifact),
      environment: rule.environment === null ? null : nameAt(body, rule.environment),
      author: rule.author === null ? null : nameAt(body, rule.author),
    }));
}

function rowsFacts({ policy, routeId, body }: BodySource): RowsFact[] {
  return policy.sql_safety
    .filter((rule) => appliesTo(rule, routeId))
    .flatMap(({ id, rows_affected: rows }) => (rows === null ? [] : [{ rule: id, value: countAt(body, rows.value) }]));
}

function nameAt(body: JsonValue | undefined, pointer: string): string | null {
  const value = valueAt(body, pointer);
  return typeof value !== 'string' || value === '' ? null : plainName(value);
}

function commitAt(body: JsonValue | undefined, pointer: string): string | null {
  const value = valueAt(body, pointer);
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return COMMIT_SHA.test(text) ? text : null;
}

function flagAt(body: JsonValue | undefined, pointer: string): boolean | null {
  const value = valueAt(body, pointer);
  return typeof value === 'boolean' ? value : null;
}

function countAt(body: JsonValue | undefined, pointer: string): number | null {
  const value = valueAt(body, pointer);
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : null;
}
