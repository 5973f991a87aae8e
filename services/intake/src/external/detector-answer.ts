// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { ExternalFact, ExternalOutage, ExternalVerdict } from '@clyra/core/change/detector-fact';

export const ANSWER_BYTES_MAX = 4_096;

export type Outcome = Pick<ExternalFact, 'outcome' | 'outage'>;

const VERDICTS: ReadonlySet<string> = new Set(['clear', 'likely_deepfake', 'spoofed_voice', 'high_risk_bec']);
const UNREACHABLE = /^(?:ECONNREFUSED|ECONNRESET|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|EPIPE|UND_ERR_SOCKET)$/;

export function outage(why: ExternalOutage): Outcome {
  return { outcome: 'outage', outage: why };
}

/**
 * What an answer says. It must name the request that it answers: an answer to another question is none. A verdict against
 * the change counts whatever the status is; that all is clear counts only with a success.
 */
export function readAnswer(status: number, text: string, requestDigest: Digest): Outcome {
  const verdict = verdictIn(text, requestDigest);
  if (verdict !== undefined && (verdict !== 'clear' || status === 200)) return { outcome: verdict };
  if (status === 200) return outage('malformed');
  if (status === 429) return outage('busy');
  return outage(status >= 500 ? 'server_error' : 'rejected');
}

function verdictIn(text: string, requestDigest: Digest): ExternalVerdict | undefined {
  let answer: JsonValue;
  try {
    answer = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  if (!isJsonObject(answer) || answer['request_digest'] !== requestDigest) return undefined;
  const verdict = answer['verdict'];
  return typeof verdict === 'string' && VERDICTS.has(verdict) ? (verdict as ExternalVerdict) : undefined;
}

export function outcomeOfError(error: unknown): Outcome {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  const word = typeof code === 'string' ? code : String(name);
  if (/timeout/i.test(word)) return outage('timeout');
  return outage(UNREACHABLE.test(word) ? 'unreachable' : 'malformed');
}
