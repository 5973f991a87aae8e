// SPDX-License-Identifier: Apache-2.0
import { ID } from '@clyra/core/change/shape';
import { parseContentDigest } from '@clyra/core/inspection/content-digest';
import {
  NONCE,
  SIGNATURE_HEADERS,
  type SignedRequest,
  TIMESTAMP_TOLERANCE_MS,
  verifyRequestMac,
} from '@clyra/core/inspection/request-signature';
import type { Clock } from '@clyra/core/ports/clock';
import { authenticateCertificate, authenticateSignature, hasHttpSignature, keyIdOf } from './authenticate-signature.ts';
import type { Caller, Credentials } from './caller.ts';
import { areNames, namesOf } from './caller-names.ts';
import type { GatewayRequest } from './gateway-request.ts';

export type { Caller, Credentials };

type AuthenticatedParts = Pick<GatewayRequest, 'method' | 'target' | 'headers' | 'transport' | 'intent'>;

/** An unknown key costs as much time as a known one. */
const NOBODY_SECRET = Buffer.alloc(32);

/**
 * The caller, or the code of the refusal. It needs only the headers, so it comes before the body is read; an unknown
 * key and a wrong signature are told apart by nobody.
 */
export function authenticate(request: AuthenticatedParts, credentials: Credentials, nowMs: number): Caller | string {
  const { headers, transport } = request;
  const hasMac = headers.has(SIGNATURE_HEADERS.signature);
  // On Kafka only the HMAC covers all that an intent says.
  if (request.intent !== undefined && (hasHttpSignature(request) || !hasMac)) return 'CLY_AUTH_MISSING';
  // Two proofs could name two callers.
  if (hasHttpSignature(request)) {
    return hasMac ? 'CLY_AUTH_AMBIGUOUS' : authenticateSignature(request, credentials, nowMs);
  }
  if (!hasMac && transport?.clientKeyDigest !== undefined) return authenticateCertificate(request, credentials, nowMs);
  const header = (name: keyof typeof SIGNATURE_HEADERS): string => headers.one(SIGNATURE_HEADERS[name]) ?? '';
  const signed: SignedRequest = {
    method: request.method,
    target: request.target,
    tenant: header('tenant'),
    actor: header('actor'),
    timestamp: header('timestamp'),
    nonce: header('nonce'),
    idempotencyKey: headers.all(SIGNATURE_HEADERS.idempotencyKey).join(', '),
    runId: header('runId'),
    contentDigest: header('contentDigest'),
    ...(request.intent === undefined ? {} : { intent: request.intent.seal }),
  };
  const signature = header('signature');
  if (header('keyId') === '' || signature === '') return 'CLY_AUTH_MISSING';
  const runValid = signed.runId === '' || ID.test(signed.runId);
  const wellFormed = areNames(signed) && NONCE.test(signed.nonce) && runValid;
  if (!wellFormed || !/^[1-9][0-9]{0,15}$/.test(signed.timestamp)) return 'CLY_AUTH_MALFORMED';
  const credential = credentials.get(header('keyId'));
  const proved = verifyRequestMac(credential?.secret ?? NOBODY_SECRET, signed, signature);
  // A name that was left out by mistake is the likelier cause than a wrong key.
  const isNamed = signed.tenant !== '' && signed.actor !== '';
  if (credential?.secret === undefined || !proved) return isNamed ? 'CLY_AUTH_INVALID' : 'CLY_AUTH_MALFORMED';
  if (Math.abs(nowMs - Number(signed.timestamp)) > TIMESTAMP_TOLERANCE_MS) return 'CLY_AUTH_TIMESTAMP';
  return {
    credential,
    ...namesOf(credential, signed),
    nonce: signed.nonce,
    runId: signed.runId === '' ? null : signed.runId,
    idempotencyKeys: headers.all(SIGNATURE_HEADERS.idempotencyKey),
    claimedDigest: signed.contentDigest === '' ? null : (parseContentDigest(signed.contentDigest) ?? null),
    signedAtMs: Number(signed.timestamp),
  };
}

/** As `authenticate`, after a look for new keys where this one is not known. */
export async function authenticateWithRefresh(
  request: AuthenticatedParts,
  credentials: Credentials,
  clock: Pick<Clock, 'nowMs'>,
): Promise<Caller | string> {
  const keyId = hasHttpSignature(request) ? keyIdOf(request) : request.headers.one(SIGNATURE_HEADERS.keyId);
  if (keyId !== undefined && credentials.get(keyId) === undefined) await credentials.refresh?.();
  return authenticate(request, credentials, clock.nowMs());
}
