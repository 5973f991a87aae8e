// SPDX-License-Identifier: Apache-2.0
import type { TimeAuthority } from '../signing/trust-root.ts';
import { OID } from './algorithms.ts';
import { type Certificate, isIssuedBy, readCertificate } from './certificate.ts';
import type { TimeStamp } from './read-token.ts';
import { stampError } from './stamp-error.ts';

const CHAIN_MAX = 5;

/**
 * The authority whose word the stamp is, by docs/spec/trust.md §6 rules 5 to 7; undefined where it is nobody's that
 * the trust root names. Throws CLY_TIME_STAMP where the chain leads to one and breaks a rule.
 */
export function authorityOf(stamp: TimeStamp, authorities: readonly TimeAuthority[]): TimeAuthority | undefined {
  const anchored = authorities.map((authority) => ({ authority, anchor: readCertificate(authority.certificate) }));
  const found = findChain([stamp.signer], stamp.certificates, anchored);
  if (found === undefined) return undefined;
  const { chain, authority } = found;
  const { signer, genTimeMs } = stamp;
  const isForStamping = signer.purposes?.critical === true && signer.purposes.ids.join() === OID.timeStamping;
  if (!isForStamping) throw stampError('is signed by a certificate that is not for time-stamping alone');
  const windows = [...chain, authority];
  const isInside = windows.every(({ validFromMs, validToMs }) => genTimeMs >= validFromMs && genTimeMs <= validToMs);
  const isRevoked = authority.revokedAtMs !== undefined && genTimeMs >= authority.revokedAtMs;
  if (!isInside || isRevoked) throw stampError('was made outside of the window of a certificate or of the authority');
  return authority;
}

type Anchored = { readonly authority: TimeAuthority; readonly anchor: Certificate };
type Chain = { readonly chain: readonly Certificate[]; readonly authority: TimeAuthority };

function findChain(
  chain: readonly Certificate[],
  others: readonly Certificate[],
  anchored: readonly Anchored[],
): Chain | undefined {
  const last = chain.at(-1) as Certificate;
  for (const { authority, anchor } of anchored) {
    if (Buffer.compare(anchor.whole, last.whole) === 0) return { chain, authority };
    if (chain.length < CHAIN_MAX && isIssuedBy(last, anchor)) return { chain: [...chain, anchor], authority };
  }
  if (chain.length >= CHAIN_MAX) return undefined;
  for (const issuer of others) {
    if (chain.includes(issuer) || !isIssuedBy(last, issuer)) continue;
    const found = findChain([...chain, issuer], others, anchored);
    if (found !== undefined) return found;
  }
  return undefined;
}
