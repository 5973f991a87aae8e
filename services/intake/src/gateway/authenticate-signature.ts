// SPDX-License-Identifier: Apache-2.0
import { ID } from '@clyra/core/change/shape';
import { parseContentDigest } from '@clyra/core/inspection/content-digest';
import {
  coverageFault,
  parseSignatureInput,
  type SignatureInput,
  signatureBase,
  verifyHttpSignature,
} from '@clyra/core/inspection/http-signature';
import { NONCE, SIGNATURE_HEADERS, TIMESTAMP_TOLERANCE_MS } from '@clyra/core/inspection/request-signature';
import type { Caller, Credentials } from './caller.ts';
import { areNames, namesOf } from './caller-names.ts';
import type { Credential } from './credentials.ts';
import type { GatewayRequest } from './gateway-request.ts';

type Request = Pick<GatewayRequest, 'method' | 'target' | 'headers' | 'transport'>;

/** A signature made for something else must not do here. */
const TAG = 'clyra';

export function hasHttpSignature({ headers }: Request): boolean {
  return headers.has('signature-input') || headers.has('signature');
}

export function keyIdOf({ headers }: Request): string | undefined {
  const input = parseSignatureInput(headers.one('signature-input') ?? '', headers.one('signature') ?? '');
  return input?.keyId;
}

/** Who sent a request, as proved by its RFC 9421 signature, or the code of the refusal. */
export function authenticateSignature(request: Request, credentials: Credentials, nowMs: number): Caller | string {
  const { headers, target } = request;
  const input = parseSignatureInput(headers.one('signature-input') ?? '', headers.one('signature') ?? '');
  if (input?.keyId === undefined || input.created === undefined || input.tag !== TAG) return 'CLY_AUTH_MALFORMED';
  const named = namedBy(request, input.nonce);
  if (named === undefined) return 'CLY_AUTH_MALFORMED';
  if (coverageFault(input, { target, present: (name) => headers.has(name) }) !== undefined) return 'CLY_AUTH_COVERAGE';
  const credential = credentials.get(input.keyId);
  if (credential === undefined || !isProved(request, input, credential)) return 'CLY_AUTH_INVALID';
  const signedAtMs = input.created * 1_000;
  const isExpired = input.expires !== undefined && input.expires * 1_000 <= nowMs;
  if (Math.abs(nowMs - signedAtMs) > TIMESTAMP_TOLERANCE_MS || isExpired) return 'CLY_AUTH_TIMESTAMP';
  return { credential, ...named, ...namesOf(credential, named), signedAtMs };
}

/**
 * Who sent a request over a connection whose client showed a certificate: the credential that names the certificate's key.
 * Time-stamp and nonce are asked for as well, so that a request that was recorded behind TLS cannot come again.
 */
export function authenticateCertificate(request: Request, credentials: Credentials, nowMs: number): Caller | string {
  const { headers, transport } = request;
  const named = namedBy(request, headers.one(SIGNATURE_HEADERS.nonce));
  const timestamp = headers.one(SIGNATURE_HEADERS.timestamp) ?? '';
  const keyId = headers.one(SIGNATURE_HEADERS.keyId) ?? '';
  if (named === undefined || !/^[1-9][0-9]{0,15}$/.test(timestamp)) return 'CLY_AUTH_MALFORMED';
  const credential = credentials.get(keyId);
  const shown = transport?.clientKeyDigest;
  const isProved = shown !== undefined && credential?.certificateKeys?.includes(shown) === true;
  if (credential === undefined || !isProved) return 'CLY_AUTH_INVALID';
  if (Math.abs(nowMs - Number(timestamp)) > TIMESTAMP_TOLERANCE_MS) return 'CLY_AUTH_TIMESTAMP';
  return { credential, ...named, ...namesOf(credential, named), signedAtMs: Number(timestamp) };
}

/** What the headers say, whoever says it; undefined where one is not of its form. */
function namedBy(
  { headers }: Request,
  nonce: string | undefined,
): Omit<Caller, 'credential' | 'signedAtMs' | 'claimed'> | undefined {
  const [tenant = '', actor = ''] = [headers.one(SIGNATURE_HEADERS.tenant), headers.one(SIGNATURE_HEADERS.actor)];
  const runId = headers.one(SIGNATURE_HEADERS.runId) ?? '';
  const isWellFormed = areNames({ tenant, actor }) && (runId === '' || ID.test(runId));
  if (!isWellFormed || nonce === undefined || !NONCE.test(nonce)) return undefined;
  const digest = headers.one(SIGNATURE_HEADERS.contentDigest);
  return {
    tenant,
    actor,
    nonce,
    runId: runId === '' ? null : runId,
    idempotencyKeys: headers.all(SIGNATURE_HEADERS.idempotencyKey),
    claimedDigest: digest === undefined ? null : (parseContentDigest(digest) ?? null),
  };
}

function isProved(request: Request, input: SignatureInput, credential: Credential): boolean {
  const key = credential.signatureKey;
  if (key === undefined || (input.algorithm !== undefined && input.algorithm !== key.algorithm)) return false;
  const { method, target, headers, transport } = request;
  const base = signatureBase(
    {
      method,
      scheme: transport?.isTls === true ? 'https' : 'http',
      authority: headers.one('host') ?? '',
      target,
      field: (name) => headers.all(name),
    },
    input,
  );
  return base !== undefined && verifyHttpSignature(key, base, input.signature);
}
