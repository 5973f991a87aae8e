// SPDX-License-Identifier: Apache-2.0
import { createHash, createPublicKey } from 'node:crypto';
import { type Note, parseNote } from '@clyra/core/evidence/note';
import type { TimeAuthority } from '@clyra/core/signing/trust-root';
import { authorityOf } from '@clyra/core/timestamp/judge-time-stamp';
import { readTimeStamp } from '@clyra/core/timestamp/read-token';
import { afterAll, describe, expect, it } from '@jest/globals';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { toSignedEntity, toTrustMaterial, Verifier } from '@sigstore/verify';
import { printCount, readCases, readExternal } from './read-cases.ts';

interface Case {
  readonly name: string;
  readonly fails: boolean;
  /** As text: some are no JSON. */
  readonly bundle: string;
  readonly trusted_root?: string;
  readonly key?: string;
  readonly identity?: string;
  readonly issuer?: string;
  readonly artifact?: string;
}

const cases = readCases<Case>('sigstore-conformance/cases.jsonl');
const artifact = readExternal('sigstore-conformance/a.txt');
const publicRoot = readExternal('sigstore-conformance/trusted-root.json');
const ISSUER = 'https://token.actions.githubusercontent.com';
const BEACON = 'https://github.com/sigstore-conformance/extremely-dangerous-public-oidc-beacon';
const IDENTITY = `${BEACON}/.github/workflows/extremely-dangerous-oidc-beacon.yml@refs/heads/main`;
const ALL = { tlogThreshold: 1, ctlogThreshold: 1, timestampThreshold: 1 };
/** What a Sigstore view of ours can show: no log, no certificate and no time of Sigstore's. */
const VIEW = { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 };

function accepts(one: Case, thresholds: typeof ALL): boolean {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(one.trusted_root ?? publicRoot));
    const key = one.key === undefined ? undefined : createPublicKey(one.key);
    const material = toTrustMaterial(root, () => {
      if (key === undefined) throw new Error('no key was given');
      return { publicKey: key, validFor: () => true };
    });
    const bundle = bundleFromJSON(JSON.parse(one.bundle));
    const entity = toSignedEntity(bundle, Buffer.from(one.artifact ?? artifact, 'utf8'));
    const policy = { subjectAlternativeName: one.identity ?? IDENTITY, extensions: { issuer: one.issuer ?? ISSUER } };
    new Verifier(material, thresholds).verify(entity, one.key === undefined ? policy : undefined);
    return true;
  } catch {
    return false;
  }
}

function reads(read: () => unknown): boolean {
  try {
    return read() !== undefined;
  } catch {
    return false;
  }
}

type Parsed = {
  readonly verificationMaterial: {
    readonly tlogEntries: readonly [
      { readonly inclusionProof: { readonly checkpoint: { readonly envelope: string } } },
    ];
    readonly timestampVerificationData?: {
      readonly rfc3161Timestamps: readonly { readonly signedTimestamp: string }[];
    };
  };
  readonly messageSignature?: { readonly signature: string };
};
const parsed = (one: Case): Parsed => JSON.parse(one.bundle) as Parsed;
const about = (name: string): readonly Case[] => cases.filter((one) => one.name.startsWith(name));

describe('@sigstore/verify, which the recipe of docs/guides/foreign-tools.md relies on', () => {
  afterAll(() => printCount('sigstore-conformance', { bundles: cases.length }));

  it('gives the verdicts of the suite, all but one', () => {
    const wrong = cases.filter((one) => accepts(one, ALL) === one.fails).map(({ name }) => name);
    expect([cases.length, cases.filter(({ fails }) => fails).length]).toEqual([70, 49]);
    // It takes a log without a start as valid for ever; a view of ours names no log.
    expect(wrong).toEqual(['trust-root-tlog-missing-validity-start_fail']);
  });

  it('judges bundles of a managed key, which is what our view is, without log and time', () => {
    const managed = about('managed-key').map((one) => [one.name, accepts(one, VIEW)]);
    expect(managed).toEqual([
      ['managed-key-and-trusted-root', true],
      ['managed-key-happy-path', true],
      ['managed-key-no-key_fail', false],
      ['managed-key-wrong-key_fail', false],
    ]);
  });
});

describe('our own readers on what these bundles hold', () => {
  it('checkpoints: a note is read where it has origin, size, root and a signature', () => {
    const checkpoints = about('rekor2-checkpoint-');
    const noteOf = (one: Case): Note =>
      parseNote(Buffer.from(parsed(one).verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope));
    const refused = checkpoints.filter((one) => !reads(() => noteOf(one))).map(({ name }) => name);
    expect(checkpoints).toHaveLength(10);
    expect(refused).toEqual([
      'rekor2-checkpoint-missing-log-signature_fail',
      'rekor2-checkpoint-missing-origin_fail',
      'rekor2-checkpoint-missing-root-hash_fail',
      'rekor2-checkpoint-missing-size_fail',
    ]);
  });

  it('time-stamps: a token counts where it is over these bytes, by a known authority, inside all windows', () => {
    const stamps = cases.filter(({ name }) => /^rekor2-timestamp|^trust-root-tsa/.test(name));
    const counted = stamps.filter((one) => reads(() => upperBoundOf(one))).map(({ name }) => name);
    expect(stamps.length).toBe(10);
    // Ours must hold the signing certificate (trust.md §6, rule 3), so a token without one never counts. The one with an
    // "incorrect time" is sound as a token: the certificate that signed the bundle had run out by then.
    expect(counted).toEqual([
      'rekor2-timestamp-with-embedded-cert',
      'rekor2-timestamp-with-expired-cert-chain',
      'rekor2-timestamp-with-incorrect-time_fail',
      'trust-root-tsa-validity-end-inclusive',
    ]);
  });
});

function upperBoundOf(one: Case): number | undefined {
  const { messageSignature, verificationMaterial } = parsed(one);
  const [token] = verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  const stamp = readTimeStamp(Buffer.from(token?.signedTimestamp ?? '', 'base64'));
  const signature = Buffer.from(messageSignature?.signature ?? '', 'base64');
  if (!createHash('sha256').update(signature).digest().equals(stamp.imprint)) return undefined;
  return authorityOf(stamp, authoritiesOf(one)) && stamp.upperBoundMs;
}

function authoritiesOf(one: Case): TimeAuthority[] {
  const root = TrustedRoot.fromJSON(JSON.parse(one.trusted_root ?? publicRoot));
  return root.timestampAuthorities.flatMap(({ certChain, validFor }, index) =>
    (certChain?.certificates ?? []).map(({ rawBytes }) => ({
      name: `tsa-${index}`,
      operator: 'sigstore',
      certificate: rawBytes,
      validFromMs: validFor?.start?.getTime() ?? 0,
      validToMs: validFor?.end?.getTime() ?? Number.MAX_SAFE_INTEGER,
      revokedAtMs: undefined,
    })),
  );
}
