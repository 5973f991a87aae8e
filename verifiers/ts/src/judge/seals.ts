// SPDX-License-Identifier: Apache-2.0
import type { KeyObject } from 'node:crypto';
import type { Checkpoint } from '../documents/checkpoint.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { Statement } from '../documents/statement.ts';
import { CompactRange } from '../hash/compact-range.ts';
import { hashLeafLatin1 } from '../hash/tree.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { JsonObject } from '../json/json-value.ts';
import type { Failures } from '../report/failures.ts';
import { verifyEd25519 } from '../signature/ed25519.ts';
import { encodePae } from '../signature/pae.ts';
import { type Moment, refuseKey } from '../trust/judge-key.ts';
import type { Role, TrustRoot } from '../trust/trust-root.ts';
import type { Documents } from './load-documents.ts';
import { logKeyOf } from './outside.ts';

const PREDICATE_TYPES = { bundle: 'https://clyra.dev/bundle/v0', export: 'https://clyra.dev/export/v0' };
/** Key id and signature. */
const LOG_SIGNATURE_BYTES = 64;

/** Whether checkpoint, bundle log and envelope speak of this manifest (verification.md §3, E14). */
export function checkSealAgreement(documents: Documents, journalRoot: string | null, failures: Failures): void {
  const { manifest, checkpoint, bundleLog } = documents;
  const root = checkpoint.root.toString('hex');
  // Two of three roots that agree tell which file was changed.
  const isManifestWrong = journalRoot !== null && journalRoot === root && root !== manifest.root;
  const rules: readonly (readonly [boolean, string])[] = [
    [checkpoint.origin === manifest.origin, 'origin'],
    [checkpoint.size === manifest.range.end, 'range.end'],
    [root === manifest.root, 'root'],
  ];
  for (const [, member] of rules.filter(([holds]) => !holds)) {
    const location = { file: isManifestWrong ? 'manifest.json' : 'checkpoint', member };
    const message = `checkpoint and manifest differ in ${member}`;
    failures.add({ claim: 'integrity', code: 'CLY_CHECKPOINT_AGREEMENT', message, location });
  }
  if (bundleLog !== null && manifest.export === undefined) {
    checkBundleLog(documents, bundleLog, failures);
  }
  checkStatement(documents, failures);
}

function checkBundleLog({ manifest, manifestDigest }: Documents, note: Checkpoint, failures: Failures): void {
  if (manifest.export !== undefined) {
    return;
  }
  const { number, frontier } = manifest.bundle_log;
  const { origin, range, root } = manifest;
  const tree = new CompactRange(
    number,
    frontier.map((hex) => Buffer.from(hex, 'hex')),
  );
  const leaf = encodeCanonical({
    manifest: manifestDigest,
    origin,
    range: { end: range.end, start: range.start },
    root,
    v: 0,
  });
  tree.append(hashLeafLatin1(Buffer.from(leaf)));
  const isSame = note.origin === `${origin}/bundles` && note.size === number + 1 && note.root.equals(tree.root());
  if (!isSame) {
    const message = 'bundle-log.checkpoint is not that of the log of bundles with this one';
    const location = { file: 'bundle-log.checkpoint' };
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_LOG_AGREEMENT', message, location });
  }
}

function checkStatement({ manifest, manifestDigest, statement }: Documents, failures: Failures): void {
  const isExport = manifest.export !== undefined;
  if (statement.manifestDigest !== manifestDigest) {
    const message = 'manifest.json does not have the digest that the statement in manifest.dsse.json names';
    const location = { file: 'manifest.json' };
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_MANIFEST_DIGEST', message, location });
  }
  const type = isExport ? PREDICATE_TYPES.export : PREDICATE_TYPES.bundle;
  if (
    statement.predicateType !== type ||
    encodeCanonical(statement.predicate) !== encodeCanonical(predicateOf(manifest))
  ) {
    const message = 'the predicate is not that of this manifest';
    const location = { file: 'manifest.dsse.json', member: 'payload.predicate' };
    failures.add({ claim: 'integrity', code: 'CLY_DSSE_AGREEMENT', message, location });
  }
}

function predicateOf(manifest: Manifest): JsonObject {
  const { origin, range, root } = manifest;
  const own = { origin, range: { start: range.start, end: range.end }, root };
  return manifest.export === undefined
    ? { ...own, profiles: [...manifest.profiles] }
    : { ...own, of: manifest.export.of };
}

/** Who signed the bundle as a whole, and the checkpoint before it, at the time of the cut (E15). */
export function checkSealSignatures(
  documents: Documents,
  by: {
    readonly trustRoot: TrustRoot;
    readonly at: Moment;
    readonly previous: Checkpoint | null;
    /** Names of all signature lines after the log's. */
    readonly furtherNames: readonly string[];
  },
  failures: Failures,
): void {
  const { checkpoint, bundleLog, manifest, statement } = documents;
  const { trustRoot, at, previous } = by;
  const notes: readonly (readonly [string, Checkpoint | null, readonly string[]])[] = [
    ['checkpoint', checkpoint, by.furtherNames],
    ['bundle-log.checkpoint', bundleLog, []],
    ['previous checkpoint', previous, previous?.signatures.slice(1).map(({ name }) => name) ?? []],
  ];
  const fail = (code: string, file: string, message: string) =>
    failures.add({ claim: 'authorship', code, message: `${file} ${message}`, location: { file } });
  for (const [file, note, furtherNames] of notes) {
    const code = note === null ? null : judgeNote(note, furtherNames, { trustRoot, at });
    if (code !== null) {
      fail(code, file, 'is not signed by a key of role log');
    }
  }
  const roles: readonly Role[] = manifest.export === undefined ? ['bundler'] : ['bundler', 'operator'];
  const code = judgeStatement(statement, roles, { trustRoot, at });
  if (code !== null) {
    fail(code, 'manifest.dsse.json', `is not signed by a key of role ${roles.join(' or ')}`);
  }
  if (at.timeMs !== null && at.timeMs > trustRoot.expiresAtMs) {
    fail('CLY_TRUST_ROOT_EXPIRED', 'manifest.json', 'ends at a cut after the trust root expired');
  }
}

function judgeNote(
  note: Checkpoint,
  furtherNames: readonly string[],
  by: { readonly trustRoot: TrustRoot; readonly at: Moment },
): string | null {
  const [own] = note.signatures;
  const isOwn = own?.name === note.origin && own.signature.length === LOG_SIGNATURE_BYTES;
  if (own === undefined || !isOwn || furtherNames.includes(note.origin)) {
    return 'CLY_CHECKPOINT_SIGNATURE';
  }
  const key = logKeyOf(note, by.trustRoot);
  const refused = refuseKey(key, ['log'], by.at);
  if (refused !== null) {
    return refused;
  }
  return verifyEd25519(key?.ed25519 as KeyObject, note.signedBytes, own.signature) ? null : 'CLY_SIG_INVALID';
}

/** An envelope names no key: the one of the trust root that verifies it is judged. */
export function judgeStatement(
  statement: Statement,
  roles: readonly Role[],
  by: { readonly trustRoot: TrustRoot; readonly at: Moment },
): string | null {
  const message = encodePae(statement.payloadType, statement.payload);
  const signer = [...by.trustRoot.keys.values()].find(
    (key) => key.ed25519 !== null && verifyEd25519(key.ed25519, message, statement.signature),
  );
  return signer === undefined ? 'CLY_SIG_INVALID' : refuseKey(signer, roles, by.at);
}
