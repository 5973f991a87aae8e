// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import type { Manifest } from '../documents/manifest.ts';
import { type GuardedSource, POLICY_BYTES_MAX, readGuardedOf } from '../documents/policy-document.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { ShapeError } from '../json/shape.ts';
import { LEDGER_BYTES_MAX, Ledger, parseLedger } from '../ledger/ledger.ts';
import type { ClaimId } from '../report/claim.ts';
import { describeParseError, type Failures } from '../report/failures.ts';
import { FileError, readBounded } from './open-regular.ts';
import { digestState } from './state-digest.ts';

/** What a fold starts from. */
export interface Carried {
  /** Null when the opening ledger is not there: then no line can be judged by what came before it. */
  readonly ledger: Ledger | null;
  /** What each sound policy artifact guards, by digest. */
  readonly policies: ReadonlyMap<string, readonly GuardedSource[]>;
}

interface Artifacts {
  readonly sound: ReadonlySet<string>;
  pathOf(digest: string): string;
}

/** Opens the sound artifacts that verification needs. */
export async function loadCarried(
  bundle: { readonly directory: string; readonly manifest: Manifest },
  sound: ReadonlySet<string>,
  failures: Failures,
): Promise<Carried> {
  const { directory, manifest } = bundle;
  const policies = new Map<string, readonly GuardedSource[]>();
  const pathOf = (digest: string) => join(directory, 'artifacts', digest);
  for (const { kind, sha256 } of manifest.artifacts) {
    if (kind === 'policy' && sound.has(sha256)) {
      await attempt({ claim: 'policy', code: 'CLY_POLICY_DOCUMENT', digest: sha256 }, failures, async () => {
        policies.set(sha256, readGuardedOf(await readSound(pathOf(sha256), sha256, POLICY_BYTES_MAX)));
      });
    }
  }
  const artifacts = { sound, pathOf };
  await checkOpeningState(manifest, artifacts, failures);
  return { ledger: await loadLedger(manifest, artifacts, failures), policies };
}

async function loadLedger(manifest: Manifest, artifacts: Artifacts, failures: Failures): Promise<Ledger | null> {
  const { sound, pathOf } = artifacts;
  const digest = manifest.opening_ledger;
  if (digest === null) {
    return new Ledger(manifest.stream_id, manifest.tenant);
  }
  if (!isNamed(manifest, 'ledger', digest) || !sound.has(digest)) {
    const place = { file: 'manifest.json', member: 'opening_ledger' };
    failures.add({
      claim: 'completeness',
      code: 'CLY_LEDGER_OPENING',
      message: 'the opening ledger is no sound artifact',
      location: place,
    });
    return null;
  }
  let ledger: Ledger | null = null;
  await attempt({ claim: 'completeness', code: 'CLY_LEDGER_SHAPE', digest }, failures, async () => {
    ledger = parseLedger(await readSound(pathOf(digest), digest, LEDGER_BYTES_MAX));
  });
  return ledger;
}

/** At start > 0 exactly one state artifact stands, and its digest is the one the previous cut committed to. */
async function checkOpeningState(manifest: Manifest, artifacts: Artifacts, failures: Failures): Promise<void> {
  const { sound, pathOf } = artifacts;
  const states = manifest.artifacts.filter((artifact) => artifact.kind === 'state');
  const expected = manifest.opening_state === null ? 0 : 1;
  if (states.length !== expected) {
    const message = `${states.length} state artifacts, ${expected} must stand`;
    failures.add({
      claim: 'completeness',
      code: 'CLY_STATE_ARTIFACT',
      message,
      location: { file: 'manifest.json', member: 'artifacts' },
    });
  }
  for (const { sha256 } of states.filter((artifact) => sound.has(artifact.sha256))) {
    await attempt({ claim: 'completeness', code: 'CLY_STATE_SHAPE', digest: sha256 }, failures, async () => {
      if ((await digestState(pathOf(sha256))) !== manifest.opening_state) {
        const message = 'the state artifact does not have the digest of opening_state';
        failures.add({
          claim: 'completeness',
          code: 'CLY_STATE_DIGEST',
          message,
          location: { file: `artifacts/${sha256}` },
        });
      }
    });
  }
}

function isNamed(manifest: Manifest, kind: string, digest: string): boolean {
  return manifest.artifacts.some((artifact) => artifact.kind === kind && artifact.sha256 === digest);
}

/** Reads an artifact that was hashed before; a file changed in between must not pass. */
async function readSound(path: string, digest: string, bytesMax: number): Promise<Buffer> {
  const bytes = await readBounded(path, bytesMax);
  if (sha256Hex(bytes) !== digest) {
    throw new ShapeError('', 'changed while it was verified');
  }
  return bytes;
}

async function attempt(
  what: { claim: ClaimId; code: string; digest: string },
  failures: Failures,
  act: () => Promise<void>,
): Promise<void> {
  const file = `artifacts/${what.digest}`;
  try {
    await act();
  } catch (error) {
    const problem =
      error instanceof FileError
        ? { code: error.code, message: error.message, location: { file } }
        : describeParseError(error, what.code, { file });
    failures.add({
      claim: what.claim,
      code: problem.code,
      message: `${file}: ${problem.message}`,
      location: problem.location,
    });
  }
}
