// SPDX-License-Identifier: Apache-2.0
import type { BundleManifest, Manifest } from '../documents/manifest.ts';
import { type GuardedSource, POLICY_BYTES_MAX, readGuardedOf } from '../documents/policy-document.ts';
import { sha256Hex } from '../hash/sha256.ts';
import { readLines } from '../journal/line-reader.ts';
import { RECORD } from '../json/parse.ts';
import { ShapeError } from '../json/shape.ts';
import { guardedOf, Ledger } from '../ledger/ledger.ts';
import { LEDGER_BYTES_MAX, LedgerReader } from '../ledger/parse-ledger.ts';
import type { ClaimId } from '../report/claim.ts';
import { describeParseError, type Failures } from '../report/failures.ts';
import { type BundleSource, readWhole } from '../source/bundle-source.ts';
import { digestState } from '../source/state-digest.ts';

export type Policies = ReadonlyMap<string, readonly GuardedSource[]>;

/** What the sound policy artifacts guard, by digest (verification.md §3, E5). */
export async function loadPolicies(
  source: BundleSource,
  given: { readonly manifest: Manifest; readonly sound: ReadonlySet<string> },
  failures: Failures,
): Promise<Policies> {
  const policies = new Map<string, readonly GuardedSource[]>();
  for (const { kind, sha256 } of given.manifest.artifacts) {
    if (kind === 'policy' && given.sound.has(sha256)) {
      await attempt({ claim: 'policy', code: 'CLY_POLICY_DOCUMENT', digest: sha256 }, failures, async () => {
        requireSize(source, sha256, POLICY_BYTES_MAX);
        const bytes = await readWhole(source, `artifacts/${sha256}`);
        requireSame(bytes, sha256);
        policies.set(sha256, readGuardedOf(bytes));
      });
    }
  }
  return policies;
}

/** At start > 0 exactly one state stands, and its digest is the one the cut before committed to (E6). */
export async function checkOpeningState(
  source: BundleSource,
  given: { readonly manifest: BundleManifest; readonly sound: ReadonlySet<string> },
  failures: Failures,
): Promise<void> {
  const { manifest, sound } = given;
  const states = manifest.artifacts.filter((artifact) => artifact.kind === 'state');
  const expected = manifest.opening_state === null ? 0 : 1;
  if (states.length !== expected) {
    const message = `${states.length} state artifacts, ${expected} must stand`;
    const location = { file: 'manifest.json', member: 'artifacts' };
    failures.add({ claim: 'completeness', code: 'CLY_STATE_ARTIFACT', message, location });
    return;
  }
  for (const { sha256 } of states.filter((artifact) => sound.has(artifact.sha256))) {
    await attempt({ claim: 'completeness', code: 'CLY_STATE_SHAPE', digest: sha256 }, failures, async () => {
      if ((await digestState(await source.open(`artifacts/${sha256}`))) !== manifest.opening_state) {
        const message = 'the state artifact does not have the digest of opening_state';
        const location = { file: `artifacts/${sha256}` };
        failures.add({ claim: 'completeness', code: 'CLY_STATE_DIGEST', message, location });
      }
    });
  }
}

/** What the fold starts from (E7); null, with the code, when it is not there: then no line can be judged. */
export async function loadLedger(
  source: BundleSource,
  given: { readonly manifest: BundleManifest; readonly sound: ReadonlySet<string>; readonly policies: Policies },
  failures: Failures,
): Promise<Ledger | string> {
  const { manifest, sound, policies } = given;
  const digest = manifest.opening_ledger;
  if (digest === null) {
    return new Ledger(manifest.stream_id, manifest.tenant);
  }
  const isNamed = manifest.artifacts.some((artifact) => artifact.kind === 'ledger' && artifact.sha256 === digest);
  if (!isNamed || !sound.has(digest)) {
    const location = { file: 'manifest.json', member: 'opening_ledger' };
    const message = 'the opening ledger is no sound artifact';
    failures.add({ claim: 'completeness', code: 'CLY_LEDGER_OPENING', message, location });
    return 'CLY_LEDGER_OPENING';
  }
  let ledger: Ledger | string = 'CLY_LEDGER_SHAPE';
  await attempt({ claim: 'completeness', code: 'CLY_LEDGER_SHAPE', digest }, failures, async () => {
    requireSize(source, digest, LEDGER_BYTES_MAX);
    ledger = await readLedger(source, manifest, digest);
  });
  if (typeof ledger !== 'string') {
    checkGuarded(ledger, policies, failures);
  }
  return ledger;
}

async function readLedger(source: BundleSource, manifest: BundleManifest, digest: string): Promise<Ledger> {
  const reader = new LedgerReader(manifest.stream_id, manifest.tenant);
  const file = await source.open(`artifacts/${digest}`);
  try {
    await readLines(file, RECORD.bytesMax, {
      onBytes: () => undefined,
      onLine: (bytes) => reader.add(bytes),
      onBroken: (what) => {
        throw new ShapeError('', what === 'too_long' ? 'has a line that is too long' : 'does not end with LF');
      },
    });
  } finally {
    await file.close();
  }
  return reader.finish();
}

/** What the ledger guards must be what its policy's document lists, where that is here. */
function checkGuarded(ledger: Ledger, policies: Policies, failures: Failures): void {
  const document = ledger.policy === null ? undefined : policies.get(ledger.policy);
  if (document !== undefined && !isSame(ledger.guarded, guardedOf(document))) {
    const message = 'the opening ledger guards other relations than its policy';
    const location = { file: 'manifest.json', member: 'opening_ledger' };
    failures.add({ claim: 'policy', code: 'CLY_POLICY_GUARDED', message, location });
  }
}

function isSame(
  left: ReadonlyMap<string, ReadonlySet<string>>,
  right: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  // A source that guards nothing has no line in a ledger.
  const pairs = (of: ReadonlyMap<string, ReadonlySet<string>>) =>
    [...of].flatMap(([source, relations]) => [...relations].map((relation) => `${source}\n${relation}`)).sort();
  return pairs(left).join('\u0000') === pairs(right).join('\u0000');
}

function requireSize(source: BundleSource, digest: string, bytesMax: number): void {
  if ((source.files.get(`artifacts/${digest}`) ?? 0) > bytesMax) {
    throw new ShapeError('', `is larger than ${bytesMax} bytes`);
  }
}

/** An artifact was hashed before; one that changed in between must not pass. */
function requireSame(bytes: Buffer, digest: string): void {
  if (sha256Hex(bytes) !== digest) {
    throw new ShapeError('', 'changed while it was verified');
  }
}

/** Any fault of grammar or shape has the one code. */
async function attempt(
  what: { claim: ClaimId; code: string; digest: string },
  failures: Failures,
  act: () => Promise<void>,
): Promise<void> {
  const file = `artifacts/${what.digest}`;
  try {
    await act();
  } catch (error) {
    const { message, location } = describeParseError(error, what.code, { file });
    failures.add({ claim: what.claim, code: what.code, message: `${file}: ${message}`, location });
  }
}
