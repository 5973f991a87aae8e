// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import {
  ID,
  onlyMembers,
  readDigest,
  readInteger,
  readList,
  readObject,
  readText,
  SHORT_TEXT,
  shapeError,
} from './shape.ts';

export type DetectorClass = 'prompt_injection' | 'social_engineering' | 'technical_indicator' | 'secret';

/** As what a text was read when the rule found it: as it stands, normalised, or decoded once more. */
export type DetectorLayer = 'plain' | 'folded' | 'percent' | 'base64' | 'hidden';

/** That a rule found something at a place, and how often; never what it found. */
export type DetectorFinding = {
  /** Id of the policy's `detectors` rule that asked for the scan. */
  readonly detector: string;
  /** `<pack>/<rule>`. */
  readonly rule: string;
  readonly class: DetectorClass;
  /** Names that are the caller's own text are `*`. */
  readonly pointer: string;
  readonly layer: DetectorLayer;
  readonly count: number;
};

/** How far a prompt is from the one before it in the same run, without a word of either. */
export type PromptDelta = {
  /** Keyed hash of the multiset of segments. */
  readonly hash: Digest;
  readonly segments: number;
  readonly added: number;
  readonly removed: number;
};

export type DetectorFacts = {
  /** Of the packs that were scanned with. */
  readonly pack_digest: Digest;
  /** True where a limit ended the scan, so that something may have been missed. */
  readonly truncated: boolean;
  readonly findings: readonly DetectorFinding[];
  readonly prompt_delta: PromptDelta | null;
};

export type ExternalVerdict = 'clear' | 'likely_deepfake' | 'spoofed_voice' | 'high_risk_bec';
export type ExternalOutage =
  | 'timeout'
  | 'unreachable'
  | 'busy'
  | 'server_error'
  | 'rejected'
  | 'malformed'
  | 'breaker_open'
  | 'not_configured';

/** What a detector outside said about hashes that were sent to it, or why it said nothing. */
export type ExternalFact = {
  readonly id: string;
  readonly outcome: ExternalVerdict | 'outage';
  /** Present where the outcome is an outage. */
  readonly outage?: ExternalOutage;
  readonly request_digest: Digest;
  readonly duration_ms: number;
};

export const FINDINGS_MAX = 32;
export const EXTERNAL_FACTS_MAX = 8;
const CLASS = /^(?:prompt_injection|social_engineering|technical_indicator|secret)$/;
const LAYER = /^(?:plain|folded|percent|base64|hidden)$/;
const OUTCOME = /^(?:clear|likely_deepfake|spoofed_voice|high_risk_bec|outage)$/;
const OUTAGE = /^(?:timeout|unreachable|busy|server_error|rejected|malformed|breaker_open|not_configured)$/;

/** Shape of `facts.detectors`. Throws CLY_RECORD_SHAPE. */
export function checkDetectorFacts(facts: JsonObject): void {
  onlyMembers(facts, new Set(['pack_digest', 'truncated', 'findings', 'prompt_delta']));
  readDigest(facts, 'pack_digest');
  if (typeof facts['truncated'] !== 'boolean') throw shapeError('truncated is not true or false');
  for (const finding of readList(facts, 'findings', FINDINGS_MAX)) checkFinding(finding);
  if (facts['prompt_delta'] === null) return;
  const delta = readObject(facts, 'prompt_delta');
  onlyMembers(delta, new Set(['hash', 'segments', 'added', 'removed']));
  readDigest(delta, 'hash');
  for (const name of ['segments', 'added', 'removed']) readInteger(delta, name);
}

function checkFinding(finding: JsonValue): void {
  if (!isJsonObject(finding)) throw shapeError('a finding is not an object');
  onlyMembers(finding, new Set(['detector', 'rule', 'class', 'pointer', 'layer', 'count']));
  readText(finding, 'detector', ID);
  readText(finding, 'rule', ID);
  readText(finding, 'class', CLASS);
  readText(finding, 'pointer', SHORT_TEXT);
  readText(finding, 'layer', LAYER);
  readInteger(finding, 'count', 1);
}

/** Shape of one member of `facts.external_detectors`. Throws CLY_RECORD_SHAPE. */
export function checkExternalFact(fact: JsonValue): void {
  if (!isJsonObject(fact)) throw shapeError('an answer of an external detector is not an object');
  onlyMembers(fact, new Set(['id', 'outcome', 'outage', 'request_digest', 'duration_ms']));
  readText(fact, 'id', ID);
  readText(fact, 'outcome', OUTCOME);
  if (fact['outcome'] === 'outage') readText(fact, 'outage', OUTAGE);
  else if (fact['outage'] !== undefined) throw shapeError('outage stands beside a verdict');
  readDigest(fact, 'request_digest');
  readInteger(fact, 'duration_ms');
}
