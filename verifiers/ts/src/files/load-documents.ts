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

interface DocumentFile {
  readonly file: string;
  readonly bytesMax: number;
  readonly code: string;
}

const MANIFEST: DocumentFile = { file: 'manifest.json', bytesMax: MANIFEST_BYTES_MAX, code: 'CLY_MANIFEST_SHAPE' };
const CHECKPOINT: DocumentFile = { file: 'checkpoint', bytesMax: CHECKPOINT_BYTES_MAX, code: 'CLY_CHECKPOINT_SHAPE' };
const ENVELOPE: DocumentFile = { file: 'manifest.dsse.json', bytesMax: ENVELOPE_BYTES_MAX, code: 'CLY_DSSE_SHAPE' };

export async function loadDocuments(directory: string, failures: Failures): Promise<BundleDocuments> {
  let manifestDigest = '';
  const load = async <T>({ file, bytesMax, code }: DocumentFile, parse: (bytes: Buffer) => T) => {
    try {
      return parse(await readBounded(join(directory, file), bytesMax));
    } catch (error) {
      reportUnread(error, { file, code }, failures);
      return null;
    }
  };
  const envelope = await load(ENVELOPE, parseEnvelope);
  const checkpoint = await load(CHECKPOINT, parseCheckpoint);
  const manifest = await load(MANIFEST, (bytes) => {
    manifestDigest = sha256Hex(bytes);
    return parseManifest(bytes);
  });
  return { manifest, manifestDigest, checkpoint, envelope };
}

function reportUnread(error: unknown, of: { file: string; code: string }, failures: Failures): void {
  const { file, code } = of;
  if (error instanceof UnsupportedFormat) {
    failures.addUnsupportedFormat(`${error.message} is not known to this verifier`, { file });
  } else if (!(error instanceof FileError)) {
    const problem = describeParseError(error, code, { file });
    failures.addMalformed({
      claim: 'integrity',
      code: problem.code,
      message: `${file}: ${problem.message}`,
      location: problem.location,
    });
  } else if (error.code === 'CLY_BUNDLE_FILE_SIZE') {
    failures.addMalformed({
      claim: 'integrity',
      code: error.code,
      message: `${file} ${error.message}`,
      location: { file },
    });
  }
  // What is missing or no regular file, the listing has named already.
}
