// SPDX-License-Identifier: Apache-2.0
import type { TimeAuthority } from '../trust/trust-root.ts';
import { isKnownKey, isSigned } from './algorithm.ts';
import type { Certificate } from './certificate.ts';
import { TokenError } from './token-error.ts';

const CERTIFICATES_MAX = 5;

export interface Chain {
  /** From the signing certificate on; the authority's own is among them or stands behind the last. */
  readonly certificates: readonly Certificate[];
  readonly authority: TimeAuthority;
}

/** A chain from a signing certificate to a time authority of the trust root, or null: the token is foreign. */
export function findChain(
  signing: Certificate,
  others: readonly Certificate[],
  authorities: readonly TimeAuthority[],
): Chain | null {
  return extend([signing], others, authorities);
}

function extend(
  chain: readonly Certificate[],
  others: readonly Certificate[],
  authorities: readonly TimeAuthority[],
): Chain | null {
  const last = chain.at(-1) as Certificate;
  const own = authorities.find(({ certificateBytes }) => certificateBytes.equals(last.bytes));
  if (own !== undefined) {
    return { certificates: chain, authority: own };
  }
  if (chain.length === CERTIFICATES_MAX) {
    return null;
  }
  for (const authority of authorities) {
    const { certificate } = authority;
    if (certificate !== null && isIssuedBy(last, certificate)) {
      return { certificates: [...chain, certificate], authority };
    }
  }
  for (const issuer of others) {
    const isNew = !chain.some((one) => one.bytes.equals(issuer.bytes));
    const found = isNew && isIssuedBy(last, issuer) ? extend([...chain, issuer], others, authorities) : null;
    if (found !== null) {
      return found;
    }
  }
  return null;
}

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  if (!certificate.issuer.equals(issuer.subject) || !issuer.isAuthority) {
    return false;
  }
  const { algorithm } = certificate;
  if (algorithm === null || !isKnownKey(issuer.publicKey, algorithm)) {
    throw new TokenError('CLY_TIME_ALGORITHM', 'has a chain with an algorithm or key that is not known');
  }
  return isSigned({ key: issuer.publicKey, algorithm }, certificate.signedBytes, certificate.signature);
}
