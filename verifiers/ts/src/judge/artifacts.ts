// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Manifest } from '../documents/manifest.ts';
import type { Failures } from '../report/failures.ts';
import { namesIn } from '../source/bundle-names.ts';
import type { BundleSource } from '../source/bundle-source.ts';

const CHUNK_BYTES = 262_144;

/** Checks each artifact (verification.md §3, E4). Returns the digests of those that are what the manifest says. */
export async function checkArtifacts(
  source: BundleSource,
  manifest: Manifest,
  failures: Failures,
): Promise<ReadonlySet<string>> {
  const sound = new Set<string>();
  const fail = (code: string, file: string, message: string) =>
    failures.add({ claim: 'integrity', code, message: `${file} ${message}`, location: { file } });
  for (const { sha256, size } of manifest.artifacts) {
    const file = `artifacts/${sha256}`;
    const found = source.files.get(file);
    if (found === undefined) {
      fail('CLY_BUNDLE_ARTIFACT_MISSING', file, 'is missing');
      continue;
    }
    if (found !== size) {
      fail('CLY_BUNDLE_ARTIFACT_SIZE', file, `has ${found} bytes, the manifest says ${size}`);
    }
    if ((await digestFile(source, file)) !== sha256) {
      fail('CLY_BUNDLE_ARTIFACT_DIGEST', file, 'does not have the digest it is named by');
    } else if (found === size) {
      sound.add(sha256);
    }
  }
  const listed = new Set<string>(manifest.artifacts.map(({ sha256 }) => `artifacts/${sha256}`));
  for (const file of namesIn(source.files, 'artifacts').filter((name) => !listed.has(name))) {
    fail('CLY_BUNDLE_ARTIFACT_UNLISTED', file, 'is not listed in the manifest');
  }
  return sound;
}

async function digestFile(source: BundleSource, name: string): Promise<string> {
  const hash = createHash('sha256');
  const file = await source.open(name);
  const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, file.size));
  try {
    for (let at = 0; at < file.size; ) {
      const count = await file.read(buffer, at);
      if (count === 0) {
        break;
      }
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
