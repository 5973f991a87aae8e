// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { reasonWords } from './reason-words.ts';

/** What intake answers to a record that was decided: `title` says what was to be done. */
export function decisionInWords(title: string, body: JsonObject): string {
  const lines = body['decision'] === 'allow' ? allowedLines(title, body) : refusedLines(title, body);
  return `${lines.join('\n')}\n`;
}

function allowedLines(title: string, body: JsonObject): string[] {
  const late = body['applied'] === false ? ['  decided; this intake takes it up within seconds'] : [];
  return [`✓ ${title}: done`, ...late, proofLine(body)];
}

function refusedLines(title: string, body: JsonObject): string[] {
  const verdict = body['decision'] === 'hold' ? 'held' : 'refused';
  const reasons = Array.isArray(body['reasons']) ? (body['reasons'] as readonly JsonValue[]).filter(isJsonObject) : [];
  return [`✗ ${title}: ${verdict}`, ...reasons.flatMap(reasonLines), proofLine(body)];
}

function reasonLines(reason: JsonObject): string[] {
  const code = String(reason['code']);
  const words = reasonWords(code);
  const detail = typeof reason['detail'] === 'string' ? ` (${reason['detail']})` : '';
  return [
    `  ${String(reason['rule'])}: ${words?.means ?? 'see the reference of error codes'}${detail}  ${code}`,
    `  → ${words?.next ?? 'Ask the operator.'}`,
  ];
}

function proofLine(body: JsonObject): string {
  const sequence = typeof body['tenant_seq'] === 'number' ? `, number ${body['tenant_seq']} of the tenant's log` : '';
  return `  event ${String(body['event_id'])}, receipt ${String(body['receipt_id'])}${sequence}`;
}

/** Where a change stands, when only intake's index and not the receipt itself can be had. */
export function standingInWords(body: JsonObject): string {
  const codes = Array.isArray(body['codes']) ? body['codes'].map(String) : [];
  const lines = [
    `Event ${String(body['event_id'])} of tenant ${String(body['tenant'])}: ${stateText(body)}`,
    ...codes.flatMap((code) => reasonLines({ code, rule: 'because' })),
  ];
  return `${lines.join('\n')}\n`;
}

const STATES: Readonly<Record<string, string>> = {
  requested: 'asked for, not decided yet; ask again in a second',
  allowed: 'allowed; its outcome is not known yet',
  done: 'allowed, and made',
  failed: 'allowed, and failed at its target',
  not_forwarded: 'allowed, but not forwarded; what it had spent is given back',
  unknown: 'allowed, and nobody knows what came of it: an operator resolves it',
  blocked: 'blocked',
  held: 'held until a person decides',
};

export function stateText(body: JsonObject): string {
  const state = String(body['state']);
  return STATES[state] ?? state;
}
