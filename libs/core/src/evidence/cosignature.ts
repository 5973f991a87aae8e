// SPDX-License-Identifier: Apache-2.0
import type { Signer } from '../ports/signer.ts';
import { verifyEd25519 } from '../signing/ed25519.ts';
import type { TrustedKey } from '../signing/trust-root.ts';
import { formatNoteLine, keyHint, type NoteLine } from './note.ts';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = 64;
const SECONDS_MAX = 253_402_300_799;

/** What a witness signs (C2SP tlog-cosignature v1): its own time, and the whole text of the note. */
function cosignedBytes(noteText: string, seconds: number): Uint8Array {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${noteText}`, 'utf8');
}

/** A cosignature line with its LF (docs/spec/trust.md §7). */
export async function cosign(noteText: string, by: { name: string; signer: Signer; seconds: number }): Promise<string> {
  const { name, signer, seconds } = by;
  const signature = await signer.sign(cosignedBytes(noteText, seconds));
  const time = Buffer.alloc(TIME_BYTES);
  time.writeBigUInt64BE(BigInt(seconds));
  return formatNoteLine(name, keyHint(name, 'cosignature', signer.publicKey), Buffer.concat([time, signature]));
}

/** The witness among these keys whose line it is, by name and hint; the signature is not judged. */
export function witnessOf(line: NoteLine, keys: Iterable<TrustedKey>): TrustedKey | undefined {
  for (const key of keys) {
    if (key.name !== line.name || !key.roles.has('witness')) continue;
    if (Buffer.compare(keyHint(line.name, 'cosignature', key.publicKey), line.hint) === 0) return key;
  }
  return undefined;
}

/** The second in which the witness signed this text, or undefined where it did not. */
export function cosignedAt(line: NoteLine, noteText: string, witness: TrustedKey): number | undefined {
  const bytes = Buffer.from(line.signature);
  if (bytes.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const seconds = Number(bytes.readBigUInt64BE(0));
  if (seconds > SECONDS_MAX) return undefined;
  const signature = bytes.subarray(TIME_BYTES);
  return verifyEd25519(witness.keyObject, cosignedBytes(noteText, seconds), signature) ? seconds : undefined;
}
