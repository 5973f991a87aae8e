// SPDX-License-Identifier: Apache-2.0
// Flips every bit of a small good bundle and verifies it in TypeScript, in process; prints what came of it as JSON.
// `node --conditions=@clyra/source test/differential/flip-bundle.ts [TICKS [PART PARTS]]`: so many lines more, and of the
// bytes only those whose number leaves PART over PARTS.
import { LogBuilder, makeKeys } from '@clyra/verifier/testing/log-builder';
import { hexOf } from '@clyra/verifier/testing/primitives';
import { EMPTY, seal, stateDigest, trustRootOf } from '@clyra/verifier/testing/seal';
import { verdictOf } from './packed-case.ts';
import { rememberSignatures } from './remembered-signatures.ts';

const WITNESS_LINE = '\u2014 w.example/w1 AAAAAAAAAAAAAAAA\n';
const REQUIRED = ['integrity', 'order', 'completeness', 'authorship', 'policy', 'reconciliation'];
const POLICY = JSON.stringify({ format: 'clyra/verification-policy/v0', name: 'flips', require: REQUIRED });
const FAILED = /^exit [123];/;

rememberSignatures();

/** A bundle of nothing but its opening, ticks and its end. */
function smallBundle(ticks: number): ReturnType<typeof seal> {
  const builder = new LogBuilder(makeKeys(), { policy: (document) => Object.assign(document, { guarded: [] }) });
  const cut = { state_digest: stateDigest(), policy_digest: builder.policyDigest };
  builder.command(
    'tenant.opened',
    { partition: 0, engine: 1, trust_root: hexOf(trustRootOf(builder)), policy: builder.policyDigest },
    { signers: [builder.keys.operator as (typeof builder.keys)['log']], subject: 'olga', receipt: cut },
  );
  for (let number = 0; number < ticks; number += 1) {
    builder.decide('clock.ticked', { change: { number }, receipt: { effect: 'ticked' } });
  }
  builder.cut('window.closed', { change: { number: 1 }, receipt: { state_digest: stateDigest() } });
  return seal(builder, EMPTY);
}

const { files, trustRoot } = smallBundle(Number(process.argv[2] ?? 0));
const bundle = new Map<string, Buffer>(files);
bundle.set('VERIFY.md', Buffer.from('how to\n'));
bundle.set('checkpoint', Buffer.concat([files.get('checkpoint') as Buffer, Buffer.from(WITNESS_LINE)]));
const [part, parts] = [Number(process.argv[3] ?? 0), Number(process.argv[4] ?? 1)];
const passed: string[] = [];
const refused: string[] = [];
let flips = 0;
let count = 0;

/** How many bytes of a file are signed: lines of witnesses and VERIFY.md are not. */
function signedBytesOf(name: string, bytes: Buffer): number {
  return name === 'VERIFY.md' ? 0 : bytes.length - (name === 'checkpoint' ? Buffer.byteLength(WITNESS_LINE) : 0);
}

async function flip(name: string, bytes: Buffer, at: { readonly byte: number; readonly bit: number }): Promise<void> {
  bytes[at.byte] = (bytes[at.byte] as number) ^ (1 << at.bit);
  const given = new Map<string, Buffer>([...bundle, [name, bytes], ['@trust-root', trustRoot]]);
  given.set('@policy', Buffer.from(POLICY));
  const verdict = await verdictOf(given, 'full');
  const isSigned = at.byte < signedBytesOf(name, bytes);
  if (isSigned && !FAILED.test(verdict)) {
    passed.push(`${name} byte ${at.byte} bit ${at.bit}: ${verdict}`);
  } else if (name === 'VERIFY.md' && !verdict.startsWith('exit 0;')) {
    refused.push(`${name} byte ${at.byte} bit ${at.bit}: ${verdict}`);
  }
  bytes[at.byte] = (bytes[at.byte] as number) ^ (1 << at.bit);
  flips += 1;
}

const unbent = await verdictOf(
  new Map<string, Buffer>([...bundle, ['@trust-root', trustRoot], ['@policy', Buffer.from(POLICY)]]),
  'full',
);
for (const [name, content] of bundle) {
  const bytes = Buffer.from(content);
  for (let byte = 0; byte < bytes.length; byte += 1) {
    count += 1;
    for (let bit = 0; bit < 8 && count % parts === part; bit += 1) {
      await flip(name, bytes, { byte, bit });
    }
  }
}
const size = [...bundle.values()].reduce((sum, bytes) => sum + bytes.length, 0);
process.stdout.write(`${JSON.stringify({ unbent, size, flips, passed, refused })}\n`);
