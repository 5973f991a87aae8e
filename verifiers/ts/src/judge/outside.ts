// SPDX-License-Identifier: Apache-2.0
import { type Checkpoint, type NoteSignature, noteKeyHint, parseSignatureLine } from '../documents/checkpoint.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { ShapeError } from '../json/shape.ts';
import type { Failures } from '../report/failures.ts';
import { namesIn } from '../source/bundle-names.ts';
import { type BundleSource, readWhole } from '../source/bundle-source.ts';
import type { TrustedKey, TrustRoot } from '../trust/trust-root.ts';

/** What others say of the checkpoint, in the order in which it is read. */
export interface Outside {
  readonly cosignatures: readonly NoteSignature[];
  readonly tokens: readonly { readonly file: string; readonly bytes: Buffer }[];
  /** Operator of the log key: it cannot be its own outside. */
  readonly insideOperator: string | null;
}

/** Reads cosignatures and time-stamps; a file that is not named by its digest is a failure (verification.md §3, E2). */
export async function readOutside(
  source: BundleSource,
  given: { readonly checkpoint: Checkpoint; readonly trustRoot: TrustRoot | null },
  failures: Failures,
): Promise<Outside> {
  const { checkpoint, trustRoot } = given;
  const cosignatures = checkpoint.signatures.slice(1).filter(({ name }) => name !== checkpoint.origin);
  for (const name of namesIn(source.files, 'cosignatures')) {
    const bytes = await readWhole(source, name);
    const line = isNamedByDigest(name, bytes) ? lineOf(bytes) : null;
    if (line === null) {
      fail('CLY_BUNDLE_COSIGNATURE', name, failures);
    } else {
      cosignatures.push(line);
    }
  }
  const tokens: { file: string; bytes: Buffer }[] = [];
  for (const file of namesIn(source.files, 'times')) {
    const bytes = await readWhole(source, file);
    if (isNamedByDigest(file, bytes)) {
      tokens.push({ file, bytes });
    } else {
      fail('CLY_BUNDLE_TIME_DIGEST', file, failures);
    }
  }
  return { cosignatures, tokens, insideOperator: logKeyOf(checkpoint, trustRoot)?.operator ?? null };
}

/** The key of the trust root that the log's own signature line names. */
export function logKeyOf(note: Checkpoint, trustRoot: TrustRoot | null): TrustedKey | undefined {
  const hint = note.signatures[0]?.keyHint;
  return [...(trustRoot?.keys.values() ?? [])].find(
    (key) => hint !== undefined && noteKeyHint(note.origin, key.publicKey).equals(hint),
  );
}

function isNamedByDigest(name: string, bytes: Buffer): boolean {
  return name.slice(name.indexOf('/') + 1).startsWith(sha256Hex(bytes));
}

function lineOf(bytes: Buffer): NoteSignature | null {
  const text = bytes.toString('utf8');
  try {
    return text.endsWith('\n') ? parseSignatureLine(text.slice(0, -1), 'line 1') : null;
  } catch (error) {
    if (error instanceof ShapeError) {
      return null;
    }
    throw error;
  }
}

function fail(code: string, file: string, failures: Failures): void {
  const message = `${file} is not named by its digest, or holds no line of a note`;
  failures.add({ claim: 'integrity', code, message, location: { file } });
}
