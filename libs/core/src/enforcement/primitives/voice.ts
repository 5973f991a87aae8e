// SPDX-License-Identifier: Apache-2.0
import type { VoiceFact } from '../../change/change-body.ts';
import { rulesFor } from '../../policy/policy.ts';
import type { VoiceRule } from '../../policy/policy-rules.ts';
import { NOTHING, type Primitive, type RequestContext } from '../primitive.ts';
import type { VoiceField } from '../receipt-body.ts';
import type { ReasonDraft } from '../threat-map.ts';

/** An action out of a conversation: the person on the line was told, agreed, and could have interrupted. */
export const voice: Primitive = {
  name: 'voice',
  evaluate(context) {
    const rules = rulesFor(context.policy.voice, context.route?.id ?? '');
    if (rules.length === 0) return NOTHING;
    const fields = rules.map((rule) => judge(context, rule));
    return {
      reasons: fields.flatMap((field, index) => reasonsOf(field, rules[index] as VoiceRule)),
      fields: { voice_compliance_check: fields },
    };
  },
};

function judge({ facts, nowMs }: RequestContext, rule: VoiceRule): VoiceField {
  const fact = facts.voice?.find((entry) => entry.rule === rule.id);
  const codes: string[] = [];
  if (fact === undefined || fact.session === null) codes.push('CLY_VOICE_SESSION');
  const attested = rule.asserted_by === 'caller' || fact?.asserted_by === 'partner';
  if (!attested) codes.push('CLY_VOICE_UNATTESTED');
  if (rule.disclaimer_required && !(attested && isTold(fact))) codes.push('CLY_VOICE_DISCLAIMER');
  const window = fact?.barge_in_available === true ? (fact.barge_in_window_ms ?? 0) : 0;
  if (rule.barge_in_window_ms_min > 0 && !(attested && window >= rule.barge_in_window_ms_min)) {
    codes.push('CLY_VOICE_BARGE_IN');
  }
  codes.push(...signalCodes(fact, rule, nowMs));
  return {
    rule: rule.id,
    session: fact?.session ?? null,
    disclaimer_required: rule.disclaimer_required,
    disclaimer_played: fact?.disclaimer_played ?? null,
    disclaimer_acknowledged: fact?.disclaimer_acknowledged ?? null,
    barge_in_window_ms: fact?.barge_in_window_ms ?? null,
    asserted_by: fact?.asserted_by ?? null,
    ...(fact?.signal === undefined ? {} : { signal: fact.signal }),
    compliant: codes.length === 0,
    codes,
  };
}

const SIGNAL_SECONDS_MAX = 300;
const LEVELS = ['none', 'C', 'B', 'A'];

/** What a call log says of itself: that it is of now, of a call that goes on, and of one story only. */
function signalCodes(fact: VoiceFact | undefined, rule: VoiceRule, nowMs: number): string[] {
  const codes: string[] = [];
  const signal = fact?.signal;
  if (signal !== undefined) {
    const ageMs = nowMs - signal.at;
    if (Math.abs(ageMs) > (rule.signal_seconds_max ?? SIGNAL_SECONDS_MAX) * 1_000) codes.push('CLY_VOICE_STALE');
    if (signal.ended) codes.push('CLY_VOICE_ENDED');
    if (signal.contradicted) codes.push('CLY_VOICE_CONTRADICTED');
  }
  const { attestation_min: least } = rule;
  const isVouched = least === undefined || LEVELS.indexOf(signal?.attestation ?? 'none') >= LEVELS.indexOf(least);
  return isVouched ? codes : [...codes, 'CLY_VOICE_ATTESTATION'];
}

function isTold(fact: VoiceFact | undefined): boolean {
  return fact?.disclaimer_played === true && fact.disclaimer_acknowledged === true;
}

function reasonsOf(field: VoiceField, rule: VoiceRule): ReasonDraft[] {
  return field.codes.map((code) => ({ code, effect: rule.effect, rule: `voice/${rule.id}` }));
}
