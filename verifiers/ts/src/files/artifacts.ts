// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Manifest } from '../documents/manifest.ts';
import type { Failures } from '../report/failures.ts';
import { FileError, openRegular } from './open-regular.ts';

const CHUNK_BYTES = 262_144;

/** Checks digest and size of each artifact the manifest names, and that there is no other. Returns the sound digests. */
export async function checkArtifacts(
  bundle: { readonly directory: string; readonly manifest: Manifest },
  listed: ReadonlySet<string>,
  failures: Failures,
): Promise<ReadonlySet<string>> {
  const { directory, manifest } = bundle;
  const sound = new Set<string>();
  const named = new Set(manifest.artifacts.map((artifact) => artifact.sha256));
  for (const artifact of manifest.artifacts) {
    const file = `artifacts/${artifact.sha256}`;
    const problem = await judgeArtifact(join(directory, file), artifact);
    if (problem === null) {
      sound.add(artifact.sha256);
    } else {
      failures.add({
        claim: 'integrity',
        code: problem.code,
        message: `${file} ${problem.message}`,
        location: { file },
      });
    }
  }
  for (const digest of listed) {
    if (!named.has(digest)) {
      const file = `artifacts/${digest}`;
      failures.addMalformed({
        claim: 'integrity',
        code: 'CLY_BUNDLE_FILE_UNKNOWN',
        message: `${file} is not named by the manifest`,
        location: { file },
      });
    }
  }
  return sound;
}

async function judgeArtifact(
  path: string,
  expected: { readonly sha256: string; readonly size: number },
): Promise<{ code: string; message: string } | null> {
  try {
    const { file, size } = await openRegular(path);
    try {
      if (size !== expected.size) {
        return { code: 'CLY_BUNDLE_ARTIFACT_SIZE', message: `has ${size} bytes, the manifest says ${expected.size}` };
      }
      const hash = createHash('sha256');
      const buffer = Buffer.alloc(CHUNK_BYTES);
      for (let left = size; left > 0; ) {
        const { bytesRead } = await file.read(buffer, 0, Math.min(left, CHUNK_BYTES), null);
        if (bytesRead === 0) {
          break;
        }
        hash.update(buffer.subarray(0, bytesRead));
        left -= bytesRead;
      }
      return hash.digest('hex') === expected.sha256
        ? null
        : { code: 'CLY_BUNDLE_ARTIFACT_DIGEST', message: 'does not have the digest that names it' };
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof FileError) {
      const code = error.code === 'CLY_BUNDLE_FILE_MISSING' ? 'CLY_BUNDLE_ARTIFACT_MISSING' : error.code;
      return { code, message: error.message };
    }
    throw error;
  }
}
