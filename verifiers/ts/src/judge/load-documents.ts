// SPDX-License-Identifier: Apache-2.0
import { type Checkpoint, parseCheckpoint } from '../documents/checkpoint.ts';
import { isOfExport, type Manifest, parseManifest } from '../documents/manifest.ts';
import { parseStatement, type Statement } from '../documents/statement.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { Malformed, orMalformed } from '../report/malformed.ts';
import { BUNDLE_LOG, namesIn } from '../source/bundle-names.ts';
import { type BundleSource, readWhole } from '../source/bundle-source.ts';

const SIGNATURE_LINES_MAX = 32;

/** The documents that say what a bundle is (verification.md §3 C). */
export interface Documents {
  readonly manifest: Manifest;
  readonly manifestDigest: string;
  readonly statement: Statement;
  readonly checkpoint: Checkpoint;
  /** Null in an export. */
  readonly bundleLog: Checkpoint | null;
}

/** Reads them in the order of the specification. Throws Malformed, UnsupportedFormat, ReadError or system errors. */
export async function loadDocuments(source: BundleSource): Promise<Documents> {
  const manifestBytes = await readWhole(source, 'manifest.json');
  requireBundleLog(source, isOfExport(manifestBytes));
  const shape = { code: 'CLY_MANIFEST_SHAPE', file: 'manifest.json' };
  const manifest = orMalformed(() => parseManifest(manifestBytes), shape);
  const isExport = manifest.export !== undefined;
  const statement = await loadStatement(source);
  const checkpoint = await loadNote(source, 'checkpoint');
  const lines = checkpoint.signatures.length + namesIn(source.files, 'cosignatures').length;
  if (lines > SIGNATURE_LINES_MAX) {
    const message = `checkpoint and cosignatures have more than ${SIGNATURE_LINES_MAX} signature lines`;
    throw new Malformed('CLY_CHECKPOINT_SHAPE', message, { file: 'checkpoint' });
  }
  const bundleLog = isExport ? null : await loadNote(source, BUNDLE_LOG);
  return { manifest, manifestDigest: sha256Hex(manifestBytes), statement, checkpoint, bundleLog };
}

/** Only the manifest says whether the bundle log belongs to the files. */
function requireBundleLog(source: BundleSource, isExport: boolean): void {
  if (source.files.has(BUNDLE_LOG) === isExport) {
    const code = isExport ? 'CLY_BUNDLE_FILE_UNKNOWN' : 'CLY_BUNDLE_FILE_MISSING';
    const message = isExport ? 'is no file of an export' : 'is missing';
    throw new Malformed(code, `${BUNDLE_LOG} ${message}`, { file: BUNDLE_LOG });
  }
}

async function loadStatement(source: BundleSource): Promise<Statement> {
  const file = 'manifest.dsse.json';
  const bytes = await readWhole(source, file);
  return orMalformed(() => parseStatement(bytes), { code: 'CLY_DSSE_SHAPE', file });
}

async function loadNote(source: BundleSource, file: string): Promise<Checkpoint> {
  const bytes = await readWhole(source, file);
  return orMalformed(() => parseCheckpoint(bytes), { code: 'CLY_CHECKPOINT_SHAPE', file });
}
