// SPDX-License-Identifier: Apache-2.0
import { sha256 } from '../hash/sha256.ts';
import type { TimeAuthority } from '../trust/trust-root.ts';
import { isKnownKey, isSigned } from './algorithm.ts';
import type { Certificate } from './certificate.ts';
import { type Chain, findChain } from './chain.ts';
import { DerError } from './der.ts';
import { readTimeStampResponse, type SignedToken } from './signed-data.ts';
import { signingCertificateOf } from './signer-attributes.ts';
import { TokenError } from './token-error.ts';
import { readTstInfo, type TstInfo } from './tst-info.ts';

const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** Between the broker's clock and that of an authority. */
const BEFORE_CUT_MS = 300_000;

export interface JudgedToken {
  readonly authority: TimeAuthority;
  readonly upperBoundMs: number;
}

/** Judges one token over the sealed checkpoint (trust.md §6, 1 to 8). Throws TokenError; CLY_TSA_UNTRUSTED: foreign. */
export function judgeToken(
  bytes: Buffer,
  sealed: Buffer,
  by: { readonly authorities: readonly TimeAuthority[]; readonly cutMs: number | null },
): JudgedToken {
  const { token, info } = asTokenErrors(() => open(bytes));
  if (info.hash !== 'sha256') {
    throw new TokenError('CLY_TIME_ALGORITHM', 'has an imprint of a hash that is not known');
  }
  if (!info.imprint.equals(sha256(sealed))) {
    throw new TokenError('CLY_TIME_IMPRINT', 'stamps something else than the sealed checkpoint');
  }
  const signing = asTokenErrors(() => signingCertificateOf(token));
  requireSigned(token, signing);
  const chain = findChain(signing, token.certificates, by.authorities);
  if (chain === null) {
    throw new TokenError('CLY_TSA_UNTRUSTED', 'leads to no time authority of the trust root');
  }
  requirePurpose(signing);
  requireWindows(chain, info);
  if (by.cutMs !== null && info.upperBoundMs < by.cutMs - BEFORE_CUT_MS) {
    throw new TokenError('CLY_TIME_BEFORE_CUT', 'is older than what the checkpoint covers');
  }
  return { authority: chain.authority, upperBoundMs: info.upperBoundMs };
}

function open(bytes: Buffer): { token: SignedToken; info: TstInfo } {
  const token = readTimeStampResponse(bytes);
  return { token, info: readTstInfo(token.content) };
}

function asTokenErrors<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) {
      throw new TokenError('CLY_TIME_TOKEN', `is no token: ${error.message}`);
    }
    throw error;
  }
}

function requireSigned({ signer }: SignedToken, signing: Certificate): void {
  const { algorithm } = signer;
  if (algorithm === null || !isKnownKey(signing.publicKey, algorithm)) {
    throw new TokenError('CLY_TIME_ALGORITHM', 'is signed with an algorithm or key that is not known');
  }
  if (!isSigned({ key: signing.publicKey, algorithm }, signer.attributes, signer.signature)) {
    throw new TokenError('CLY_TIME_SIGNATURE', 'is not signed by its certificate');
  }
}

function requirePurpose({ extendedKeyUsage: usage }: Certificate): void {
  const isAlone = usage?.purposes.length === 1 && usage.purposes[0] === TIME_STAMPING;
  if (!isAlone || usage?.critical !== true) {
    throw new TokenError('CLY_TSA_PURPOSE', 'is signed with a certificate for something else');
  }
}

function requireWindows({ certificates, authority }: Chain, { genTimeMs }: TstInfo): void {
  const isInside = certificates.every(
    ({ notBeforeMs, notAfterMs }) => genTimeMs >= notBeforeMs && genTimeMs <= notAfterMs,
  );
  const isOwn = genTimeMs >= authority.validFromMs && genTimeMs <= authority.validToMs;
  const isRevoked = authority.revokedAtMs !== null && genTimeMs >= authority.revokedAtMs;
  if (!isInside || !isOwn || isRevoked) {
    throw new TokenError('CLY_TSA_WINDOW', 'was made outside of a window of its chain');
  }
}
