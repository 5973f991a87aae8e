// SPDX-License-Identifier: Apache-2.0
import { type Checkpoint, noteKeyHint } from '../documents/checkpoint.ts';
import type { Envelope } from '../documents/envelope.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { Failures } from '../report/failures.ts';
import { refuseKey, type SignatureCode } from '../signature/block-verifier.ts';
import { verifyEd25519 } from '../signature/ed25519.ts';
import { encodePae } from '../signature/pae.ts';
import type { TrustRoot } from '../trust/trust-root.ts';

/** Whether the checkpoint and the envelope speak of this manifest and range. */
export function checkSealAgreement(
  bundle: { manifest: Manifest; root: string | null; isEnvelopeSigned: boolean | null; manifestDigest: string },
  seals: { checkpoint: Checkpoint | null; envelope: Envelope | null },
  failures: Failures,
): void {
  const { manifest } = bundle;
  const { checkpoint, envelope } = seals;
  if (checkpoint !== null) {
    const root = checkpoint.root.toString('hex');
    // Two of three roots that agree tell which file was changed.
    const isManifestWrong = bundle.root !== null && bundle.root === root && root !== manifest.root;
    const rules: readonly (readonly [boolean, string])[] = [
      [checkpoint.origin === manifest.origin, 'origin'],
      [checkpoint.size === manifest.range.end, 'range.end'],
      [root === manifest.root, 'root'],
    ];
    for (const [, member] of rules.filter(([holds]) => !holds)) {
      const place = isManifestWrong ? { file: 'manifest.json', member } : { file: 'checkpoint', member };
      failures.add({
        claim: 'integrity',
        code: 'CLY_CHECKPOINT_AGREEMENT',
        message: `checkpoint and manifest differ in ${member}`,
        location: place,
      });
    }
  }
  if (envelope === null) {
    return;
  }
  if (envelope.manifestDigest !== bundle.manifestDigest) {
    const file = bundle.isEnvelopeSigned === false ? 'manifest.dsse.json' : 'manifest.json';
    const message = 'manifest.json does not have the digest that the statement in manifest.dsse.json names';
    failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_MANIFEST_DIGEST', message, location: { file } });
  }
  const { origin, range, root } = envelope.predicate;
  const same = origin === manifest.origin && root === manifest.root;
  if (!same || range.start !== manifest.range.start || range.end !== manifest.range.end) {
    const place = { file: 'manifest.dsse.json', member: 'payload.predicate' };
    failures.add({
      claim: 'integrity',
      code: 'CLY_DSSE_AGREEMENT',
      message: 'the predicate speaks of another range than the manifest',
      location: place,
    });
  }
}

/** Whether a key of role `log` signed the checkpoint. Other signature lines are left to the witness claim. */
export function checkCheckpointSignature(
  checkpoint: Checkpoint,
  by: { trustRoot: TrustRoot; timeMs: number; file: string },
  failures: Failures,
): void {
  const own = checkpoint.signatures.filter((signature) => signature.name === checkpoint.origin);
  const place = { file: by.file };
  if (own.length !== 1) {
    const message = 'one signature line must carry the origin as its name';
    failures.add({ claim: 'authorship', code: 'CLY_CHECKPOINT_SIGNATURE', message, location: place });
    return;
  }
  for (const { keyHint, signature } of own) {
    const keys = [...by.trustRoot.keys.values()].filter(
      (key) => key.ed25519 !== null && noteKeyHint(checkpoint.origin, key.ed25519.publicKey).equals(keyHint),
    );
    const code = judgeKeys(keys, { role: 'log', timeMs: by.timeMs }, (key) =>
      verifyEd25519(key, checkpoint.signedBytes, signature),
    );
    if (code !== null) {
      failures.add({
        claim: 'authorship',
        code,
        message: `${by.file} is not signed by a key of role log`,
        location: place,
      });
    }
  }
}

/** Whether a key of role `bundler` signed the envelope: keyid is empty, so each such key is tried. */
export function judgeEnvelopeSignature(envelope: Envelope, trustRoot: TrustRoot, timeMs: number): SignatureCode | null {
  const message = encodePae(envelope.payloadType, envelope.payload);
  return judgeKeys([...trustRoot.keys.values()], { role: 'bundler', timeMs }, (key) =>
    verifyEd25519(key, message, envelope.signature),
  );
}

type Keys = readonly (TrustRoot['keys'] extends ReadonlyMap<string, infer Key> ? Key : never)[];

/** The key that verifies decides; without one, the signature is invalid or its key unknown. */
function judgeKeys(
  keys: Keys,
  by: { role: 'log' | 'bundler'; timeMs: number },
  verifies: (key: Parameters<typeof verifyEd25519>[0]) => boolean,
): SignatureCode | null {
  const signer = keys.find((key) => key.ed25519 !== null && verifies(key.ed25519.key));
  if (signer !== undefined) {
    return refuseKey(signer, by.role, by.timeMs);
  }
  return keys.length === 0 ? 'CLY_KEY_UNKNOWN' : 'CLY_SIG_INVALID';
}
