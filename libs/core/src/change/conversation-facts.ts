// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { ID, onlyMembers, readDigest, readInteger, readText, shapeError } from './shape.ts';

/** How far the network vouches for the calling number (RFC 8588); `failed`: its check failed, `none`: nobody checked. */
export type Attestation = 'A' | 'B' | 'C' | 'failed' | 'none';

/** What a partner's call log says about a session. */
export type PartnerSignal = {
  readonly principal: string;
  /** Of the newest record, in milliseconds by the partner's clock. */
  readonly at: number;
  readonly ended: boolean;
  readonly contradicted: boolean;
  readonly attestation: Attestation;
  /** Of all its records, in the order in which they came. */
  readonly digest: Digest;
  readonly disclaimer_played: boolean;
  readonly disclaimer_acknowledged: boolean;
  readonly barge_in_window_ms: number | null;
};

/** Which log a voice fact was taken from; its digest leads to the records. */
export type SignalFact = Pick<PartnerSignal, 'principal' | 'at' | 'ended' | 'contradicted' | 'attestation' | 'digest'>;

/** What is said about the voice conversation that an action comes from, and who says it. */
export type VoiceFact = {
  readonly rule: string;
  readonly session: string | null;
  readonly disclaimer_played: boolean | null;
  readonly disclaimer_acknowledged: boolean | null;
  readonly barge_in_available: boolean | null;
  readonly barge_in_window_ms: number | null;
  readonly asserted_by: 'caller' | 'partner';
  /** Present where the partner's call log knows the session. */
  readonly signal?: SignalFact;
};

/** What a deployment says about itself. */
export type DeployFact = {
  readonly rule: string;
  readonly commit: string | null;
  readonly artifact: string | null;
  readonly environment: string | null;
  readonly author: string | null;
};

/** How many rows the caller says that its statement changes. */
export type RowsFact = { readonly rule: string; readonly value: number | null };

const ATTESTATION = /^(?:A|B|C|failed|none)$/;
const PARTY = /^(?:caller|partner)$/;
export const COMMIT_SHA = /^[0-9a-f]{7,64}$/;
export const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._:@/+-]{0,127}$/;

/** Shape of one member of `facts.voice`. Throws CLY_RECORD_SHAPE. */
export function checkVoiceFact(value: JsonValue): void {
  const fact = objectOf(value, 'a voice fact');
  onlyMembers(
    fact,
    new Set([
      'rule',
      'session',
      'disclaimer_played',
      'disclaimer_acknowledged',
      'barge_in_available',
      'barge_in_window_ms',
      'asserted_by',
      'signal',
    ]),
  );
  readText(fact, 'rule', ID);
  if (fact['session'] !== null) readText(fact, 'session', PLAIN_NAME);
  for (const name of ['disclaimer_played', 'disclaimer_acknowledged', 'barge_in_available']) {
    if (fact[name] !== null && typeof fact[name] !== 'boolean') throw shapeError(`${name} is not true, false or null`);
  }
  if (fact['barge_in_window_ms'] !== null) readInteger(fact, 'barge_in_window_ms');
  readText(fact, 'asserted_by', PARTY);
  if (fact['signal'] !== undefined) checkSignal(objectOf(fact['signal'], 'signal'));
}

function checkSignal(signal: JsonObject): void {
  onlyMembers(signal, new Set(['principal', 'at', 'ended', 'contradicted', 'attestation', 'digest']));
  readText(signal, 'principal', ID);
  readInteger(signal, 'at');
  readText(signal, 'attestation', ATTESTATION);
  readDigest(signal, 'digest');
  for (const name of ['ended', 'contradicted']) {
    if (typeof signal[name] !== 'boolean') throw shapeError(`${name} is not true or false`);
  }
}

/** Shape of one member of `facts.deploy`. Throws CLY_RECORD_SHAPE. */
export function checkDeployFact(value: JsonValue): void {
  const fact = objectOf(value, 'a deploy fact');
  onlyMembers(fact, new Set(['rule', 'commit', 'artifact', 'environment', 'author']));
  readText(fact, 'rule', ID);
  if (fact['commit'] !== null) readText(fact, 'commit', COMMIT_SHA);
  for (const name of ['artifact', 'environment', 'author']) {
    if (fact[name] !== null) readText(fact, name, PLAIN_NAME);
  }
}

/** Shape of one member of `facts.rows`. Throws CLY_RECORD_SHAPE. */
export function checkRowsFact(value: JsonValue): void {
  const fact = objectOf(value, 'a count of rows');
  onlyMembers(fact, new Set(['rule', 'value']));
  readText(fact, 'rule', ID);
  if (fact['value'] !== null) readInteger(fact, 'value');
}

function objectOf(value: JsonValue, what: string): JsonObject {
  if (!isJsonObject(value)) throw shapeError(`${what} is not an object`);
  return value;
}
