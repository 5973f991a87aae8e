// SPDX-License-Identifier: Apache-2.0
import type { Edits } from '@clyra/verifier/testing/log-builder';
import { canonical, hexOf, type Loose } from '@clyra/verifier/testing/primitives';
import type { BuiltBundle } from '@clyra/verifier/testing/seal';
import { BASE, BASIC, type CaseHead, type ConformanceCase, edited, makeCase } from '../conformance-case.ts';
import { makeCertificate, makeToken } from '../der-builder.ts';

const OPEN = 'That the key was never in other hands.';
const AFTER = 'How much older than the stamp the records are.';
const SECOND = 1_000;
/** A second after the cut. */
const STAMPED = Math.ceil((BASE.builder.timeMs + SECOND) / SECOND) * SECOND;

const withKey = (subject: string, members: Loose): Edits => ({
  trustRoot: (root) =>
    Object.assign(
      root.keys.find((key: Loose) => key.subject === subject),
      members,
    ),
});
const key = ([name, wanted, why]: CaseHead, subject: string, members: Loose): ConformanceCase =>
  makeCase([name, wanted, why, OPEN], { bundle: edited(withKey(subject, members)) });

const SUBJECT = 'tsa.example';
const FOREVER = { subject: SUBJECT, fromMs: 0, toMs: 3_600_000 };
const certificate = makeCertificate(FOREVER);
const authority = (members: Loose = {}): Loose => ({
  name: 'tsa',
  operator: 'stampers',
  certificate: certificate.toString('base64'),
  valid_from: 0,
  valid_to: 3_600_000,
  ...members,
});

/** A bundle with time-stamps over its sealed checkpoint, by an authority of its trust root. */
function stamped(
  edits: Edits & { readonly authority?: Loose },
  token: { readonly timeMs?: number; readonly over?: string; readonly certificate?: Buffer } = {},
): BuiltBundle {
  const own = edits.authority === undefined ? authority() : edits.authority;
  const bundle = edited({
    ...edits,
    trustRoot: (root) => {
      root.time_authorities = own === null ? [] : [own];
      edits.trustRoot?.(root);
    },
  });
  const sealed =
    token.over ??
    String(bundle.files.get('checkpoint'))
      .split('\n')
      .slice(0, 5)
      .map((line) => `${line}\n`)
      .join('');
  const bytes = makeToken(Buffer.from(sealed), {
    timeMs: token.timeMs ?? STAMPED,
    certificate: token.certificate ?? certificate,
    subject: SUBJECT,
  });
  const files = new Map(bundle.files);
  files.set(`times/${hexOf(bytes)}.tsr`, bytes);
  return { ...bundle, files };
}

const TIMED = [...BASIC, 'time'];
const time = ([name, wanted, why]: CaseHead, bundle: BuiltBundle): ConformanceCase =>
  makeCase([name, wanted, why, AFTER], { bundle, policy: TIMED });
const revokedIntake = (revokedAt: number): Edits => withKey('intake', { revoked_at: revokedAt, reason: 'stolen' });

export const TRUST: readonly ConformanceCase[] = [
  key(['key-expired-at-time', [1, 'authorship', 'CLY_KEY_TIME'], 'A key signed after its window.'], 'intake', {
    valid_to: 1_000_050,
  }),
  key(['key-not-yet-valid', [1, 'authorship', 'CLY_KEY_TIME'], 'A key signed before its window.'], 'intake', {
    valid_from: 1_000_050,
  }),
  key(['boundary-inclusive', [0], 'Both ends of a window belong to it.'], 'intake', {
    valid_from: 1_000_010,
    valid_to: BASE.builder.timeMs,
  }),
  key(
    [
      'revoked-no-time',
      [1, 'authorship', 'CLY_KEY_REVOKED_UNDATED'],
      'Whoever stole a key can write any time into the log.',
    ],
    'intake',
    { revoked_at: 5_000_000, reason: 'stolen' },
  ),
  key(['revoked-before', [1, 'authorship', 'CLY_KEY_REVOKED'], 'A key signed after its revocation.'], 'intake', {
    revoked_at: 1,
    reason: 'stolen',
  }),
  key(
    [
      'key-of-unknown-algorithm',
      [1, 'authorship', 'CLY_KEY_ALGORITHM'],
      'A key that this version cannot judge signs nothing.',
    ],
    'intake',
    { alg: 'ml-dsa-44' },
  ),
  time(
    ['revoked-after-stamp', [0], 'A trusted time before the revocation shows that the signature is older.'],
    stamped(revokedIntake(5_000_000)),
  ),
  time(
    ['revoked-before-stamp', [1, 'authorship', 'CLY_KEY_REVOKED'], 'The stamp is younger than the revocation.'],
    stamped(revokedIntake(STAMPED - 1)),
  ),
  makeCase(
    [
      'root-of-newer-version',
      [1, 'authorship', 'CLY_TRUST_ROOT_OTHER'],
      'A bundle under a trust root that the reader has not seen.',
      OPEN,
    ],
    { bundle: { ...BASE, trustRoot: other((root) => (root.expires_at -= 1)) } },
  ),
  makeCase(['root-of-later-version-passed', [0], 'A later version of the trust root judges older bundles.', OPEN], {
    bundle: {
      ...BASE,
      trustRoot: other((root) => Object.assign(root, { version: 2, history: [hexOf(BASE.trustRoot)] })),
    },
  }),
  makeCase(
    [
      'root-history-short',
      [2, 'integrity', 'CLY_TRUST_ROOT_SHAPE'],
      'A version that does not name those before it.',
      OPEN,
    ],
    { bundle: { ...BASE, trustRoot: other((root) => (root.version = 2)) } },
  ),
  makeCase(['root-expired', [1, 'authorship', 'CLY_TRUST_ROOT_EXPIRED'], 'A cut after the trust root’s end.', OPEN], {
    bundle: edited({ trustRoot: (root) => (root.expires_at = 5) }),
  }),
  makeCase(['root-of-other-log', [1, 'authorship', 'CLY_TRUST_ROOT_ORIGIN'], 'A trust root of another log.', OPEN], {
    bundle: edited({ trustRoot: (root) => (root.log_origin = 'else.example') }),
  }),
  makeCase(
    [
      'root-of-other-format',
      [2, 'integrity', 'CLY_TRUST_ROOT_SHAPE'],
      'A trust root of another version of the format.',
      OPEN,
    ],
    { trustRoot: other((root) => (root.format = 'clyra/trust-root/v1')) },
  ),
  makeCase(
    ['no-trust-root', [4, 'authorship', 'CLY_TRUST_ROOT_ABSENT'], 'Absent is never pass.', 'Who made the bundle.'],
    { trustRoot: null },
  ),
  makeCase(
    [
      'bundle-supplied-root',
      [2, 'integrity', 'CLY_BUNDLE_FILE_UNKNOWN'],
      'A bundle must not bring what it is judged by.',
      'Anything: reading stops.',
    ],
    { bend: (files) => files.set('trust-root.json', BASE.trustRoot) },
  ),
  time(['time-good', [0], 'An outside operator stamped the sealed checkpoint.'], stamped({})),
  time(
    ['tsa-untrusted', [4, 'time', 'CLY_TSA_UNTRUSTED'], 'A stamp of somebody nobody named says nothing.'],
    stamped({ authority: null }),
  ),
  time(
    ['tsa-inside', [4, 'time', 'CLY_TIME_INSIDE'], 'The log cannot be its own outside.'],
    stamped({ authority: authority({ operator: 'acme' }) }),
  ),
  time(
    ['tsa-quorum', [4, 'time', 'CLY_TIME_QUORUM'], 'One operator where two are asked for.'],
    stamped({ trustRoot: (root) => (root.thresholds = { root: 1, tsa: 2, witness: 1 }) }),
  ),
  time(
    ['tsa-imprint-mismatch', [1, 'time', 'CLY_TIME_IMPRINT'], 'A stamp over something else.'],
    stamped({}, { over: 'else' }),
  ),
  time(['tsa-cert-expired-now', [0], 'The certificate has long expired; it was good when it stamped.'], stamped({})),
  time(
    ['tsa-gentime-outside-cert', [1, 'time', 'CLY_TSA_WINDOW'], 'A stamp made after its certificate ended.'],
    stamped({}, { timeMs: 7_200_000 }),
  ),
  time(
    ['tsa-revoked', [1, 'time', 'CLY_TSA_WINDOW'], 'A stamp made after the authority was revoked.'],
    stamped({ authority: authority({ revoked_at: 1_000_000, reason: 'stolen' }) }),
  ),
  time(
    ['tsa-before-cut', [1, 'time', 'CLY_TIME_BEFORE_CUT'], 'A stamp older than what it covers.'],
    stamped({}, { timeMs: 2_000 }),
  ),
  time(
    ['tsa-other-purpose', [1, 'time', 'CLY_TSA_PURPOSE'], 'A certificate for something else than time-stamping.'],
    otherPurpose(),
  ),
  time(
    ['tsa-hash-of-later-version', [3, 'time', 'CLY_TIME_ALGORITHM'], 'A stamp over a digest that this version lacks.'],
    bentToken((bytes) => {
      const sha256 = Buffer.from('608648016503040201', 'hex');
      const imprint = bytes.indexOf(sha256, bytes.indexOf(sha256) + 1);
      bytes[imprint + sha256.length - 1] = 3;
    }),
  ),
  time(
    ['tsa-sig-flip', [1, 'time', 'CLY_TIME_SIGNATURE'], 'One bit of a stamp’s signature.'],
    bentToken((bytes) => (bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1)),
  ),
  time(
    ['tsa-not-der', [1, 'time', 'CLY_TIME_TOKEN'], 'Bytes that are no stamp.'],
    bentToken((bytes) => (bytes[0] = 0x31)),
  ),
  makeCase(['tsa-name-other', [1, 'integrity', 'CLY_BUNDLE_TIME_DIGEST'], 'A stamp is named by its digest.', AFTER], {
    bend: (files) => files.set(`times/${'0'.repeat(64)}.tsr`, Buffer.from('x')),
  }),
];

function other(bend: (root: Loose) => void): Buffer {
  const root = JSON.parse(String(BASE.trustRoot));
  bend(root);
  return Buffer.from(canonical(root));
}

function otherPurpose(): BuiltBundle {
  const own = makeCertificate({ ...FOREVER, purpose: '1.3.6.1.5.5.7.3.1' });
  return stamped({ authority: authority({ certificate: own.toString('base64') }) }, { certificate: own });
}

function bentToken(bend: (bytes: Buffer) => void): BuiltBundle {
  const bundle = stamped({});
  const files = new Map([...bundle.files].filter(([name]) => !name.startsWith('times/')));
  for (const [name, content] of bundle.files) {
    if (name.startsWith('times/')) {
      const bytes = Buffer.from(content);
      bend(bytes);
      files.set(`times/${hexOf(bytes)}.tsr`, bytes);
    }
  }
  return { ...bundle, files };
}
