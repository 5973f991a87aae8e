// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import { isJsonObject, type JsonObject } from '../../canonical/json-value.ts';
import { parseJson } from '../../canonical/parse-json.ts';
import type { Attestation } from '../../change/conversation-facts.ts';

/** What the SIP headers of a call say about who calls. */
export type SipIdentity = {
  readonly attestation: Attestation;
  /** Of the calling number, to compare with; null where no header has one. */
  readonly caller: string | null;
  /** Two headers say different things. */
  readonly isContradictory: boolean;
};

/** `verstat` of 3GPP TS 24.229 §7.2A.20: what the terminating network's verification service found. */
const VERSTAT = /;verstat=([A-Za-z-]{1,40})/gi;
const NUMBER = /(?:sips?|tel):(\+?[0-9][0-9().-]{2,31})/i;
const LEVEL = /^[ABC]$/;
const PASSPORT_LIMITS = { bytesMax: 4_096, depthMax: 6, valuesMax: 64 };

/**
 * Reads the headers that an SBC wrote down, names in lower case. A level of attestation (RFC 8588) counts only where
 * `verstat` says that its signature was validated: a header that nobody checked is a claim of whoever called.
 * undefined for an Identity header that is no PASSporT.
 */
export function sipIdentity(headers: Readonly<Record<string, string>>): SipIdentity | undefined {
  const named = `${headers['p-asserted-identity'] ?? ''} ${headers['from'] ?? ''}`;
  const verdicts = new Set([...named.matchAll(VERSTAT)].map(([, verdict]) => (verdict ?? '').toLowerCase()));
  const passport = headers['identity'] === undefined ? null : passportOf(headers['identity']);
  if (passport === undefined) return undefined;
  const levels = new Set([headers['p-attestation-indicator'], passport?.attest].filter((level) => level !== undefined));
  const [level = ''] = levels;
  const number = NUMBER.exec(headers['p-asserted-identity'] ?? headers['from'] ?? '')?.[1];
  const caller = number?.replaceAll(/[().-]/g, '').replace(/^\+/, '');
  const isOther = passport?.orig !== undefined && caller !== undefined && passport.orig !== caller;
  return {
    attestation: attestationOf(verdicts, level),
    caller: caller === undefined ? null : digestOf(caller),
    isContradictory: verdicts.size > 1 || levels.size > 1 || isOther,
  };
}

function attestationOf(verdicts: ReadonlySet<string>, level: string): Attestation {
  if (verdicts.has('tn-validation-failed')) return 'failed';
  return verdicts.has('tn-validation-passed') && LEVEL.test(level) ? (level as Attestation) : 'none';
}

type Passport = { readonly attest: string | undefined; readonly orig: string | undefined };

/** The claims of an Identity header (RFC 8224): `<header>.<payload>.<signature>;info=<…>;alg=ES256;ppt=shaken`. */
function passportOf(identity: string): Passport | undefined {
  const [, payload] = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+(?:;|$)/.exec(identity) ?? [];
  const claims = payload === undefined ? undefined : claimsOf(payload);
  if (claims === undefined) return undefined;
  const { attest, orig } = claims;
  const number = isJsonObject(orig) ? orig['tn'] : undefined;
  return {
    attest: typeof attest === 'string' ? attest : undefined,
    orig: typeof number === 'string' ? number.replace(/^\+/, '') : undefined,
  };
}

function claimsOf(payload: string): JsonObject | undefined {
  try {
    const claims = parseJson(Buffer.from(payload, 'base64url'), PASSPORT_LIMITS);
    return isJsonObject(claims) ? claims : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
