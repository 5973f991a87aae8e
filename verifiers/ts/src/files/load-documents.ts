// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { CHECKPOINT_BYTES_MAX, type Checkpoint, parseCheckpoint } from '../documents/checkpoint.ts';
import { ENVELOPE_BYTES_MAX, type Envelope, parseEnvelope } from '../documents/envelope.ts';
import { MANIFEST_BYTES_MAX, type Manifest, parseManifest, UnsupportedFormat } from '../documents/manifest.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { describeParseError, type Failures } from '../report/failures.ts';
import { FileError, readBounded } from './open-regular.ts';

/** The three documents of a bundle; null for each that could not be read, which is then a failure. */
export interface BundleDocuments {
  readonly manifest: Manifest | null;
  readonly manifestDigest: string;
  readonly checkpoint: Checkpoint | null;
  readonly envelope: Envelope | null;
}

export async function loadDocuments(directory: string, failures: Failures): Promise<BundleDocuments> {
  let manifestDigest = '';
  const load = async <T>(file: string, bytesMax: number, code: string, parse: (bytes: Buffer) => T) => {
    try {
      return parse(await readBounded(join(directory, file), bytesMax));
    } catch (error) {
      reportUnread(error, file, code, failures);
      return null;
    }
  };
  const envelope = await load('manifest.dsse.json', ENVELOPE_BYTES_MAX, 'CLY_DSSE_SHAPE', parseEnvelope);
  const checkpoint = await load('checkpoint', CHECKPOINT_BYTES_MAX, 'CLY_CHECKPOINT_SHAPE', parseCheckpoint);
  const manifest = await load('manifest.json', MANIFEST_BYTES_MAX, 'CLY_MANIFEST_SHAPE', (bytes) => {
    manifestDigest = sha256Hex(bytes);
    return parseManifest(bytes);
  });
  return { manifest, manifestDigest, checkpoint, envelope };
}

function reportUnread(error: unknown, file: string, code: string, failures: Failures): void {
  if (error instanceof UnsupportedFormat) {
    failures.addUnsupportedFormat(`${error.message} is not known to this verifier`, { file });
  } else if (!(error instanceof FileError)) {
    const problem = describeParseError(error, code, { file });
    failures.addMalformed('integrity', problem.code, `${file}: ${problem.message}`, problem.location);
  } else if (error.code === 'CLY_BUNDLE_FILE_SIZE') {
    failures.addMalformed('integrity', error.code, `${file} ${error.message}`, { file });
  }
  // What is missing or no regular file, the listing has named already.
}
