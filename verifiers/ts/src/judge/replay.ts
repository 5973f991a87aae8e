// SPDX-License-Identifier: Apache-2.0
import type { BundleManifest } from '../documents/manifest.ts';
import { REPLAY_TYPE, type ReplayPredicate, readReplayPredicate } from '../documents/replay-predicate.ts';
import { parseStatement, type Statement } from '../documents/statement.ts';
import { encodeCanonical } from '../json/encode.ts';
import { JsonError } from '../json/json-error.ts';
import { ShapeError } from '../json/shape.ts';
import type { Failures } from '../report/failures.ts';
import { HOLDS, type Standing } from '../report/standing.ts';
import { type BundleSource, readWhole } from '../source/bundle-source.ts';
import type { Moment } from '../trust/judge-key.ts';
import type { TrustRoot } from '../trust/trust-root.ts';
import { judgeStatement } from './seals.ts';

const FILE = 'replay.dsse.json';

/** Judges the replay certificate of a bundle (verification.md §3.4). */
export async function judgeReplay(
  source: BundleSource,
  given: {
    readonly manifest: BundleManifest;
    readonly manifestDigest: string;
    readonly trustRoot: TrustRoot | null;
    readonly at: Moment;
  },
  failures: Failures,
): Promise<Standing> {
  const absent: Standing = { status: 'ABSENT', code: 'CLY_REPERFORMANCE_ABSENT', message: 'no replay certificate' };
  if (!source.files.has(FILE)) {
    return absent;
  }
  const fail = (code: string, message: string): Standing => {
    failures.add({ claim: 'reperformance', code, message: `${FILE} ${message}`, location: { file: FILE } });
    return absent;
  };
  const read = openCertificate(await readWhole(source, FILE));
  if (read === null) {
    return fail('CLY_REPLAY_SHAPE', 'is no replay certificate');
  }
  const { statement, predicate } = read;
  if (statement.manifestDigest !== given.manifestDigest || !isOf(predicate, given.manifest) || !isCoherent(predicate)) {
    return fail('CLY_REPLAY_AGREEMENT', 'speaks of something else, or contradicts itself');
  }
  if (given.trustRoot === null) {
    return { status: 'ABSENT', code: 'CLY_TRUST_ROOT_ABSENT', message: 'no trust root was passed' };
  }
  const code = judgeStatement(statement, ['attestor'], { trustRoot: given.trustRoot, at: given.at });
  if (code !== null) {
    return fail(code, 'is not signed by a key of role attestor');
  }
  if (predicate.result === 'failed') {
    return fail('CLY_REPLAY_FAILED', 'says that the replay came out otherwise');
  }
  return standingOf(predicate);
}

function openCertificate(bytes: Buffer): { statement: Statement; predicate: ReplayPredicate } | null {
  try {
    const statement = parseStatement(bytes);
    const isReplay = statement.predicateType === REPLAY_TYPE;
    return isReplay ? { statement, predicate: readReplayPredicate(statement.predicate, 'predicate') } : null;
  } catch (error) {
    if (error instanceof ShapeError || error instanceof JsonError) {
      return null;
    }
    throw error;
  }
}

function isOf(predicate: ReplayPredicate, manifest: BundleManifest): boolean {
  const { range, origin, engine } = predicate;
  const isSameRange = range.start === manifest.range.start && range.end === manifest.range.end;
  return isSameRange && origin === manifest.origin && encodeCanonical(engine) === encodeCanonical(manifest.engine);
}

function isCoherent({ result, not_compared: missing, first_difference: difference }: ReplayPredicate): boolean {
  const isComplete = missing.length === 0;
  if ((result === 'failed') !== (difference !== null)) {
    return false;
  }
  return result === 'failed' || isComplete === (result === 'success');
}

function standingOf({ kind, result }: ReplayPredicate): Standing {
  if (result === 'partial') {
    return { status: 'PARTIAL', code: 'CLY_REPLAY_PARTIAL', message: 'not everything could be compared' };
  }
  return kind === 'data'
    ? { status: 'PARTIAL', code: 'CLY_REPLAY_DATA', message: 'the data was rebuilt, the decisions were not replayed' }
    : HOLDS;
}
