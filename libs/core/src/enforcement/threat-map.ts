// SPDX-License-Identifier: Apache-2.0
import { assert } from '../kernel/assert.ts';
import type { Effect } from '../policy/effect.ts';
import type { ThreatEntry } from '../policy/policy-rules.ts';
import type { Reason } from './receipt-body.ts';

type Threat = { readonly threat_class: string; readonly owasp: readonly string[]; readonly mitre_id?: string };

const OUTPUT: Threat = { threat_class: 'malformed_output', owasp: ['LLM10:2026', 'API10:2023'] };
const FENCE: Threat = {
  threat_class: 'cross_tenant_access',
  owasp: ['ASI03:2025', 'API1:2023', 'API5:2023'],
  mitre_id: 'T1078',
};
const REPLAY: Threat = { threat_class: 'replay', owasp: ['API2:2023'], mitre_id: 'AML.T0091' };
const VELOCITY: Threat = {
  threat_class: 'burst',
  owasp: ['LLM06:2026', 'API4:2023', 'API6:2023'],
  mitre_id: 'AML.T0034.002',
};
const MONEY: Threat = { threat_class: 'financial_theft', owasp: ['LLM06:2026', 'API6:2023'], mitre_id: 'T1657' };
const APPROVAL: Threat = { threat_class: 'excessive_agency', owasp: ['LLM03:2026', 'ASI09:2025'], mitre_id: 'T1656' };
const SWITCH: Threat = { threat_class: 'runaway', owasp: ['ASI08:2025', 'ASI10:2025'], mitre_id: 'AML.T0048' };
const LOOP: Threat = { threat_class: 'agent_loop', owasp: ['ASI08:2025', 'LLM06:2026'], mitre_id: 'AML.T0034.002' };
const SQL: Threat = { threat_class: 'unsafe_sql', owasp: ['LLM10:2026', 'ASI02:2025'], mitre_id: 'T1565.001' };
const DESTRUCTION: Threat = { threat_class: 'data_destruction', owasp: ['ASI02:2025'], mitre_id: 'AML.T0101' };
const INJECTION: Threat = {
  threat_class: 'prompt_injection',
  owasp: ['LLM01:2026', 'ASI01:2025'],
  mitre_id: 'AML.T0051',
};
const SOCIAL: Threat = { threat_class: 'social_engineering', owasp: ['ASI09:2025'], mitre_id: 'T1566' };
const INDICATOR: Threat = {
  threat_class: 'technical_indicator',
  owasp: ['ASI05:2025', 'API7:2023'],
  mitre_id: 'T1059',
};
const SECRET: Threat = { threat_class: 'secret_exposure', owasp: ['LLM02:2026'], mitre_id: 'T1552' };
const DEEPFAKE: Threat = { threat_class: 'deepfake', owasp: ['ASI09:2025'], mitre_id: 'AML.T0088' };
const VOICE: Threat = { threat_class: 'voice_compliance', owasp: ['ASI09:2025'], mitre_id: 'T1656' };
const DEPLOY: Threat = { threat_class: 'uncontrolled_deploy', owasp: ['LLM04:2026', 'ASI04:2025'], mitre_id: 'T1195' };
const DENY: Threat = { threat_class: 'unlisted_route', owasp: ['API5:2023', 'API9:2023'] };
const OPERATION: Threat = { threat_class: 'operation', owasp: [] };

/** By prefix of the reason code; the first that fits counts. OWASP ids always carry their edition. */
export const THREATS: readonly (readonly [prefix: string, threat: Threat])[] = [
  ['CLY_FENCE_', FENCE],
  ['CLY_AUTH_', REPLAY],
  ['CLY_IDEMPOTENCY_', REPLAY],
  ['CLY_VELOCITY_AMOUNT_', MONEY],
  ['CLY_VELOCITY_CURRENCY', MONEY],
  ['CLY_VELOCITY_', VELOCITY],
  ['CLY_AMOUNT_', MONEY],
  ['CLY_APPROVAL_', APPROVAL],
  ['CLY_EMERGENCY_', APPROVAL],
  ['CLY_KILL_SWITCH', SWITCH],
  ['CLY_LOOP_', LOOP],
  ['CLY_COST_', VELOCITY],
  ['CLY_SQL_TRUNCATE', DESTRUCTION],
  ['CLY_SQL_NO_WHERE', DESTRUCTION],
  ['CLY_SQL_TAUTOLOGY', DESTRUCTION],
  ['CLY_SQL_DDL', DESTRUCTION],
  ['CLY_SQL_', SQL],
  ['CLY_DETECTOR_PROMPT_INJECTION', INJECTION],
  ['CLY_DETECTOR_SOCIAL_ENGINEERING', SOCIAL],
  ['CLY_DETECTOR_TECHNICAL_INDICATOR', INDICATOR],
  ['CLY_DETECTOR_SECRET', SECRET],
  ['CLY_DETECTOR_', INJECTION],
  ['CLY_EXTERNAL_', DEEPFAKE],
  ['CLY_VOICE_', VOICE],
  ['CLY_DEPLOY_', DEPLOY],
  ['CLY_ROUTE_', DENY],
  ['CLY_ACTIVATION_ROUTE', DENY],
  ['CLY_ACTIVATION_ID', REPLAY],
  ['CLY_ACTIVATION_', OUTPUT],
  ['CLY_SCHEMA_', OUTPUT],
  ['CLY_RULE_', OUTPUT],
  ['CLY_DBT_', DEPLOY],
  ['CLY_CHANGE_SET_BEYOND', APPROVAL],
  ['CLY_CHANGE_SET_', OUTPUT],
  ['CLY_JSON_', OUTPUT],
  ['CLY_BODY_', OUTPUT],
  ['CLY_CONTENT_', OUTPUT],
];

export type ReasonDraft = {
  readonly code: string;
  readonly effect: Effect;
  readonly rule: string;
  readonly detail?: string;
};

/** A reason with its threat class; every reason in a receipt comes from here. The policy's own entries come first. */
export function reasonOf(draft: ReasonDraft, entries: readonly ThreatEntry[] = []): Reason {
  assert(/^CLY_[A-Z0-9_]+$/.test(draft.code), 'a reason code is CLY_<AREA>_<WHAT>');
  const threat = ownThreat(draft.code, entries) ?? THREATS.find(([prefix]) => draft.code.startsWith(prefix))?.[1];
  const { threat_class, owasp, mitre_id } = threat ?? OPERATION;
  // Members in canonical order, as a receipt has them.
  return {
    code: draft.code,
    ...(draft.detail === undefined ? {} : { detail: draft.detail }),
    effect: draft.effect,
    ...(mitre_id === undefined ? {} : { mitre_id }),
    owasp,
    rule: draft.rule,
    threat_class,
  };
}

function ownThreat(code: string, entries: readonly ThreatEntry[]): Threat | undefined {
  let longest: ThreatEntry | undefined;
  for (const entry of entries) {
    if (code.startsWith(entry.code) && entry.code.length > (longest?.code.length ?? 0)) longest = entry;
  }
  if (longest === undefined) return undefined;
  const { threat_class, owasp, mitre_id } = longest;
  return { threat_class, owasp, ...(mitre_id === null ? {} : { mitre_id }) };
}
