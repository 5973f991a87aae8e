// SPDX-License-Identifier: Apache-2.0
import { type KeyObject, sign } from 'node:crypto';
import { digestBy, OID } from '@clyra/core/timestamp/algorithms';
import type { Certificate } from '@clyra/core/timestamp/certificate';
import { der, explicit, generalizedTime, integer, octets, oid, sequence, setOf, utf8 } from '@clyra/core/timestamp/der';
import { timeText } from '@clyra/core/timestamp/der-time';
import { sha256Identifier, type TimeStampRequest } from '@clyra/core/timestamp/time-stamp-request';

export type TimeStampSigner = { readonly privateKey: KeyObject; readonly certificate: Certificate };
export type TimeStampFacts = { readonly serial: Uint8Array; readonly timeMs: number };

/** An arc for examples; a real TSA has a policy of its own. */
const POLICY = '1.3.6.1.4.1.99999.1';
/** How far this machine's clock may be off. */
const ACCURACY_SECONDS = 1;

/** A granted TimeStampResp (RFC 3161 §2.4.2) with its certificate inside. */
export function signTimeStamp(request: TimeStampRequest, facts: TimeStampFacts, signer: TimeStampSigner): Uint8Array {
  const { privateKey, certificate } = signer;
  const info = sequence(
    integer(1),
    oid(POLICY),
    sequence(sha256Identifier(), octets(request.imprint)),
    integer(facts.serial),
    generalizedTime(timeText(facts.timeMs)),
    sequence(integer(ACCURACY_SECONDS)),
    ...(request.nonce === undefined ? [] : [integer(request.nonce)]),
  );
  const certificateId = sequence(octets(digestBy('sha256', certificate.whole)));
  const attributes = setOf(
    sequence(oid(OID.contentType), setOf(oid(OID.tstInfo))),
    sequence(oid(OID.messageDigest), setOf(octets(digestBy('sha256', info)))),
    sequence(oid(OID.signingCertificateV2), setOf(sequence(sequence(certificateId)))),
  );
  const signerInfo = sequence(
    integer(1),
    sequence(certificate.issuer, der(0x02, certificate.serial)),
    sha256Identifier(),
    // In the message the set stands under an implicit tag; what is signed is the set.
    Buffer.concat([Buffer.of(0xa0), attributes.subarray(1)]),
    sequence(oid(OID.ecdsaWithSha256)),
    octets(sign('sha256', attributes, privateKey)),
  );
  const signedData = sequence(
    integer(3),
    setOf(sha256Identifier()),
    sequence(oid(OID.tstInfo), explicit(0, octets(info))),
    der(0xa0, certificate.whole),
    setOf(signerInfo),
  );
  return sequence(sequence(integer(0)), sequence(oid(OID.signedData), explicit(0, signedData)));
}

/** A TimeStampResp that refuses, with the reason in words (status 2, rejection). */
export function refuseTimeStamp(why: string): Uint8Array {
  return sequence(sequence(integer(2), sequence(utf8(why))));
}
