// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { canonical, hexOf, type Loose, signBytes, signPae } from '@clyra/verifier/testing/primitives';
import { LINE } from '@clyra/verifier/testing/standard-bundle';
import { at, type BASE, type ConformanceCase, edited, KEYS, makeCase, text } from '../conformance-case.ts';

const KEEP = 'That the signer meant it.';
const STOPS = 'Anything: reading stops.';
const L = 2n ** 252n + 27742317777372353535851937790883648493n;

/** The same signature with L added to S: valid to a verifier that does not bound S. */
function addL(sig: string): string {
  const bytes = Buffer.from(sig, 'base64');
  let s = 0n;
  for (let index = 63; index >= 32; index -= 1) {
    s = s * 256n + BigInt(bytes[index] as number);
  }
  s += L;
  for (let index = 32; index < 64; index += 1) {
    bytes[index] = Number(s & 0xffn);
    s >>= 8n;
  }
  return bytes.toString('base64');
}

const block = (
  [name, code, why]: readonly [name: string, code: string, why: string],
  bend: (sig: Loose, line: Loose) => void,
): ConformanceCase =>
  makeCase([name, [1, 'authorship', code], why, KEEP], {
    bundle: edited({ line: at(LINE.runClosed, (line) => bend(line.change.sig, line)) }),
  });
const flip = (sig: string): string => `${sig[0] === 'A' ? 'B' : 'A'}${sig.slice(1)}`;
const envelope = (name: string, bend: (envelope: Loose) => void, why: string): ConformanceCase =>
  makeCase([name, [2, 'integrity', 'CLY_DSSE_SHAPE'], why, STOPS], { bundle: edited({ envelope: bend }) });
const resign = (envelope: Loose, message: (payload: Buffer) => Buffer): void => {
  envelope.signatures[0].sig = signBytes(KEYS.bundler, message(Buffer.from(envelope.payload, 'base64'))).toString(
    'base64',
  );
};
const pae = (type: string, length: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${type} ${length} `), payload]);
const INTOTO = 'application/vnd.in-toto+json';

export const SIGNATURES: readonly ConformanceCase[] = [
  block(['sig-flip', 'CLY_SIG_INVALID', 'One bit of a signature.'], (sig) => (sig.sig = flip(sig.sig))),
  block(
    ['s-plus-l', 'CLY_SIG_INVALID', 'A second signature that anybody can make of the first.'],
    (sig) => (sig.sig = addL(sig.sig)),
  ),
  block(
    ['small-order-r', 'CLY_SIG_INVALID', 'R of small order, which platforms judge differently.'],
    (sig) => (sig.sig = Buffer.concat([Buffer.from('01'.padEnd(64, '0'), 'hex'), Buffer.alloc(32)]).toString('base64')),
  ),
  makeCase(['small-order-key', [1, 'authorship', 'CLY_SIG_INVALID'], 'A key of small order signs everything.', KEEP], {
    bundle: smallOrderKey(),
  }),
  block(
    ['sig-of-hash', 'CLY_SIG_INVALID', 'A pre-hashed signature is another scheme.'],
    (sig) => (sig.sig = signBytes(KEYS.intake, createHash('sha512').update('x').digest()).toString('base64')),
  ),
  block(
    ['key-unknown', 'CLY_KEY_UNKNOWN', 'A key that the trust root does not have.'],
    (sig) => (sig.key_id = '00'.repeat(16)),
  ),
  block(
    ['key-of-other-role', 'CLY_KEY_ROLE', 'A key signs only in the roles it has.'],
    (sig) => (sig.key_id = KEYS.recorder.keyId),
  ),
  block(['index-beyond-size', 'CLY_SIG_PATH', 'A place that the send does not have.'], (sig) => (sig.index = 3)),
  block(['size-1025', 'CLY_SIG_PATH', 'A send one larger than sends are.'], (sig) => (sig.size = 1_025)),
  envelope('wrong-payloadtype', (one) => (one.payloadType = 'application/json'), 'A signature is for one type alone.'),
  makeCase(['pae-length-lie', [1, 'authorship', 'CLY_SIG_INVALID'], 'What is signed names its length.', KEEP], {
    bundle: edited({ envelope: (one) => resign(one, (payload) => pae(INTOTO, payload.length + 1, payload)) }),
  }),
  makeCase(
    [
      'payload-without-pae',
      [1, 'authorship', 'CLY_SIG_INVALID'],
      'A signature over the bare payload could mean anything.',
      KEEP,
    ],
    { bundle: edited({ envelope: (one) => resign(one, (payload) => payload) }) },
  ),
  envelope(
    'keyid-lies',
    (one) => (one.signatures[0].keyid = KEYS.bundler?.keyId),
    'The envelope names no key: foreign verifiers refuse one they did not compute.',
  ),
  envelope(
    'two-signatures',
    (one) => one.signatures.push(one.signatures[0]),
    'One signature, counted twice, is no second signer.',
  ),
  envelope('zero-sigs', (one) => (one.signatures = []), 'Nobody signed.'),
  envelope('base64-garbage', (one) => (one.signatures[0].sig = '!!!!'), 'Lax decoders skip what they do not know.'),
  envelope('base64url', (one) => (one.payload = one.payload.replace(/=+$/, '')), 'One value has one form.'),
  makeCase(
    [
      'unsigned-predicate-field',
      [1, 'integrity', 'CLY_DSSE_AGREEMENT'],
      'A predicate says what is specified and nothing more.',
      KEEP,
    ],
    { bundle: edited({ statement: (one) => (one.predicate.verified = true) }) },
  ),
  makeCase(
    [
      'envelope-of-other-manifest',
      [1, 'integrity', 'CLY_BUNDLE_MANIFEST_DIGEST'],
      'The envelope of another bundle.',
      KEEP,
    ],
    { bundle: edited({ statement: (one) => (one.subject[0].digest.sha256 = hexOf('x')) }) },
  ),
  makeCase(
    ['checkpoint-by-other-key', [1, 'authorship', 'CLY_KEY_UNKNOWN'], 'A checkpoint that somebody else signed.', KEEP],
    {
      bend: text('checkpoint', (from) =>
        from.replace(
          /(\u2014 \S+ )\S+/,
          `$1${Buffer.concat([Buffer.from('00000000', 'hex'), Buffer.alloc(64)]).toString('base64')}`,
        ),
      ),
    },
  ),
  makeCase(
    ['checkpoint-two-log-lines', [1, 'authorship', 'CLY_CHECKPOINT_SIGNATURE'], 'A log signs a checkpoint once.', KEEP],
    { bend: text('checkpoint', (from) => `${from + from.split('\n')[4]}\n`) },
  ),
  makeCase(['33-signatures', [2, 'integrity', 'CLY_CHECKPOINT_SHAPE'], 'A note with 33 signature lines.', STOPS], {
    bend: text('checkpoint', (from) => from + '\u2014 w AAAAAAAA\n'.repeat(32)),
  }),
  command(
    ['command-unsigned', 'CLY_COMMAND_SIGNER', 'A command that nobody signed.'],
    (body) => (body.signatures = []),
  ),
  command(
    ['command-changed', 'CLY_COMMAND_SIGNER', 'A command changed after it was signed.'],
    (body) => (body.command.source_id = 'pg2'),
  ),
  command(['command-by-approver', 'CLY_COMMAND_ROLE', 'A command signed in another role.'], (body) =>
    resignCommand(body, 'approver', 'ben'),
  ),
  command(['command-subject-lies', 'CLY_COMMAND_SIGNER', 'The subject is whose key signed first.'], (body) =>
    resignCommand(body, 'operator', 'carl'),
  ),
  makeCase(
    ['policy-by-one-person', [1, 'authorship', 'CLY_COMMAND_ROLE'], 'Two roles in one hand are one person.', KEEP],
    {
      bundle: edited({
        more: (builder) => {
          builder.command(
            'policy.activated',
            { policy: builder.policyDigest },
            { signers: [builder.keys.author as Loose], subject: 'ann' },
          );
        },
      }),
    },
  ),
  makeCase(['policy-by-two-people', [0], 'An activation with author and approver.', 'That the policy is wise.'], {
    bundle: edited({
      more: (builder) => {
        builder.command(
          'policy.activated',
          { policy: builder.policyDigest },
          { signers: [builder.keys.author as Loose, builder.keys.approver as Loose], subject: 'ann' },
        );
      },
    }),
  }),
  makeCase(
    [
      'approval-commands',
      [0],
      'Breaking the glass and revoking an approval by an operator, the review by a policy approver.',
      'That the emergency was one.',
    ],
    {
      bundle: edited({
        more: (builder) => {
          const by = (key: Loose, subject: string) => ({ signers: [key], subject });
          const operator = by(builder.keys.operator as Loose, 'olga');
          builder.command('approval.granted', { approval_id: 'a'.repeat(32), emergency: true }, operator);
          builder.command('approval.revoked', { approval_id: 'a'.repeat(32) }, operator);
          const reviewer = by(builder.keys.approver as Loose, 'ben');
          builder.command('emergency.reviewed', { approval_id: 'a'.repeat(32) }, reviewer);
        },
      }),
    },
  ),
  makeCase(
    [
      'approval-by-operator',
      [1, 'authorship', 'CLY_COMMAND_ROLE'],
      'An approval that is no emergency is an approver’s.',
      KEEP,
    ],
    {
      bundle: edited({
        more: (builder) => {
          builder.command(
            'approval.granted',
            { approval_id: 'a'.repeat(32) },
            { signers: [builder.keys.operator as Loose], subject: 'olga' },
          );
        },
      }),
    },
  ),
  makeCase(
    [
      'command-of-other-version',
      [1, 'authorship', 'CLY_COMMAND_KIND'],
      'An allowed command that this version does not know.',
      KEEP,
    ],
    {
      bundle: edited({
        more: (builder) => {
          builder.command(
            'tenant.renamed',
            { name: 'x' },
            { signers: [builder.keys.operator as Loose], subject: 'olga' },
          );
        },
      }),
    },
  ),
  makeCase(
    [
      'forged-change-refused',
      [0],
      'Anybody who can write to the log can put a forgery there; its refusal is evidence.',
      'Who forged it.',
    ],
    {
      bundle: edited({
        receipt: at(
          LINE.blocked,
          (body) => (body.reasons = [{ code: 'CLY_CHANGE_SIGNATURE', effect: 'block', rule: 'signature' }]),
        ),
        line: at(LINE.blocked, (line) => (line.change.sig.sig = flip(line.change.sig.sig))),
      }),
    },
  ),
  makeCase(
    [
      'head-mode-skips-lines',
      [0],
      'In head mode only cuts are judged for signatures: the report says so.',
      'Who signed the lines between cuts.',
    ],
    {
      bundle: edited({ line: at(LINE.blocked, (line) => (line.change.sig.sig = flip(line.change.sig.sig))) }),
      mode: 'head',
    },
  ),
];

function command(
  [name, code, why]: readonly [name: string, code: string, why: string],
  bend: (body: Loose) => void,
): ConformanceCase {
  return makeCase([name, [1, 'authorship', code], why, KEEP], {
    bundle: edited({ change: at(LINE.sourceRegistered, bend) }),
  });
}

function resignCommand(body: Loose, keyName: string, subject: string): void {
  body.command.subject = subject;
  const key = KEYS[keyName] as Loose;
  const sig = signPae(key, 'application/vnd.clyra.command.v0+json', Buffer.from(canonical(body.command)));
  body.signatures = [{ key_id: key.keyId, sig }];
}

/** The neutral element as a key of intake, and the signature that it makes of everything. */
function smallOrderKey(): typeof BASE {
  const point = Buffer.from('01'.padEnd(64, '0'), 'hex');
  const keyId = hexOf(point).slice(0, 32);
  const sig = Buffer.concat([point, Buffer.alloc(32)]).toString('base64');
  return edited({
    trustRoot: (root) => root.keys.push({ ...root.keys[0], key_id: keyId, public_key: point.toString('base64') }),
    line: at(LINE.blocked, (line) => (line.change.sig = { index: 0, key_id: keyId, path: [], sig, size: 1 })),
  }) as typeof BASE;
}
