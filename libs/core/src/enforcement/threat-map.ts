// SPDX-License-Identifier: Apache-2.0
import { assert } from '../kernel/assert.ts';
import type { Effect } from '../policy/effect.ts';
import type { Reason } from './receipt-body.ts';

type Threat = { readonly threat_class: string; readonly owasp: readonly string[]; readonly mitre_id?: string };

const OUTPUT: Threat = { threat_class: 'malformed_output', owasp: ['LLM10:2026', 'API10:2023'] };
const FENCE: Threat = {
  threat_class: 'cross_tenant_access',
  owasp: ['ASI03:2025', 'API1:2023', 'API5:2023'],
  mitre_id: 'T1078',
};
const REPLAY: Threat = { threat_class: 'replay', owasp: ['API2:2023'] };
const VELOCITY: Threat = { threat_class: 'burst', owasp: ['LLM06:2026', 'API4:2023', 'API6:2023'] };
const APPROVAL: Threat = { threat_class: 'excessive_agency', owasp: ['LLM03:2026', 'ASI09:2025'] };
const SWITCH: Threat = { threat_class: 'runaway', owasp: ['ASI08:2025', 'ASI10:2025'] };
const DENY: Threat = { threat_class: 'unlisted_route', owasp: ['API5:2023', 'API9:2023'] };
const OPERATION: Threat = { threat_class: 'operation', owasp: [] };

/** By prefix of the reason code, longest first. OWASP ids always carry their edition (LLM 2026, Agentic 2025, API 2023). */
const THREATS: readonly (readonly [prefix: string, threat: Threat])[] = [
  ['CLY_FENCE_', FENCE],
  ['CLY_AUTH_', REPLAY],
  ['CLY_IDEMPOTENCY_', REPLAY],
  ['CLY_VELOCITY_', VELOCITY],
  ['CLY_AMOUNT_', VELOCITY],
  ['CLY_APPROVAL_', APPROVAL],
  ['CLY_KILL_SWITCH', SWITCH],
  ['CLY_ROUTE_', DENY],
  ['CLY_SCHEMA_', OUTPUT],
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

/** A reason with its threat class; every reason in a receipt comes from here. */
export function reasonOf(draft: ReasonDraft): Reason {
  assert(/^CLY_[A-Z0-9_]+$/.test(draft.code), 'a reason code is CLY_<AREA>_<WHAT>');
  const threat = THREATS.find(([prefix]) => draft.code.startsWith(prefix))?.[1] ?? OPERATION;
  return { ...threat, ...draft };
}
