// SPDX-License-Identifier: Apache-2.0
import { EFFECTS } from './effect.ts';
import type { PolicyCursor } from './policy-cursor.ts';
import type { DeployRule, VoiceRule } from './policy-rules.ts';
import { POINTER_RULE } from './read-amount.ts';
import { type RuleScope, readRules } from './rule-scope.ts';

const VOICE_POINTERS = {
  session: '/voice_session_id',
  disclaimer_played: '/disclaimer_played',
  disclaimer_acknowledged: '/disclaimer_acknowledged',
  barge_in_available: '/barge_in_available',
  barge_in_window_ms: '/barge_in_window_ms',
} as const;

/** Actions out of a conversation: what must have been said before, and that a person could have interrupted. */
export function readVoice(policy: PolicyCursor, scope: RuleScope): VoiceRule[] {
  return readRules(scope, {
    name: 'voice',
    items: policy.items('voice'),
    members: [
      ...Object.keys(VOICE_POINTERS),
      'disclaimer_required',
      'barge_in_window_ms_min',
      'asserted_by',
      'signal_seconds_max',
      'attestation_min',
      'effect',
    ],
    read: (rule, named) => {
      const pointer = (name: keyof typeof VOICE_POINTERS): string =>
        rule.text(name, { ...POINTER_RULE, fallback: VOICE_POINTERS[name] });
      return {
        ...named,
        session: pointer('session'),
        disclaimer_played: pointer('disclaimer_played'),
        disclaimer_acknowledged: pointer('disclaimer_acknowledged'),
        barge_in_available: pointer('barge_in_available'),
        barge_in_window_ms: pointer('barge_in_window_ms'),
        disclaimer_required: rule.flag('disclaimer_required', true),
        barge_in_window_ms_min: rule.integer('barge_in_window_ms_min', { min: 0, max: 60_000, fallback: 0 }),
        asserted_by: rule.oneOf('asserted_by', ['partner', 'caller'], 'caller'),
        ...readSignal(rule),
        effect: rule.oneOf('effect', EFFECTS, 'hold'),
      };
    },
  });
}

const LEVELS = ['A', 'B', 'C'] as const;

/** What a partner's log must say; left out where nothing is asked, so that older policies keep their digests. */
function readSignal(rule: PolicyCursor): Pick<VoiceRule, 'signal_seconds_max' | 'attestation_min'> {
  const members = ['signal_seconds_max', 'attestation_min'] as const;
  const [seconds, level] = members.map((name) => !rule.member(name).isAbsent());
  const isPartner = rule.oneOf('asserted_by', ['partner', 'caller'], 'caller') === 'partner';
  for (const name of members) {
    if (!isPartner && !rule.member(name).isAbsent())
      rule.member(name).report('asks a partner: write asserted_by: partner');
  }
  return {
    ...(seconds ? { signal_seconds_max: rule.integer('signal_seconds_max', { min: 1, max: 86_400 }) } : {}),
    ...(level ? { attestation_min: rule.oneOf('attestation_min', LEVELS) } : {}),
  };
}

const DEPLOY_MEMBERS = [
  'commit',
  'artifact',
  'environment',
  'author',
  'unique',
  'unique_days',
  'max_per_hour',
  'segregation',
];

/** Deployments: each commit or artifact once, not too many an hour, and not by the person who wrote or approved it. */
export function readDeploy(policy: PolicyCursor, scope: RuleScope): DeployRule[] {
  return readRules(scope, {
    name: 'deploy',
    items: policy.items('deploy'),
    members: DEPLOY_MEMBERS,
    read: (rule, named) => {
      const unique = rule.oneOf('unique', ['commit', 'artifact', 'none'], 'commit');
      const artifact = rule.textOrNull('artifact', POINTER_RULE);
      if (unique === 'artifact' && artifact === null) rule.report('artifact is missing: write where its digest stands');
      return {
        ...named,
        commit: rule.text('commit', { ...POINTER_RULE, fallback: '/commit_sha' }),
        artifact,
        environment: rule.textOrNull('environment', POINTER_RULE),
        author: rule.textOrNull('author', POINTER_RULE),
        unique,
        unique_days: rule.integer('unique_days', { min: 1, max: 365, fallback: 90 }),
        max_per_hour: rule.member('max_per_hour').isAbsent()
          ? null
          : rule.integer('max_per_hour', { min: 1, max: 10_000 }),
        segregation: rule.flag('segregation', false),
      };
    },
  });
}
