// SPDX-License-Identifier: Apache-2.0
import type { Checkpoint, NoteSignature } from '../documents/checkpoint.ts';
import { noteKeyHint } from '../documents/checkpoint.ts';
import type { Failures } from '../report/failures.ts';
import type { Standing } from '../report/standing.ts';
import { verifyEd25519 } from '../signature/ed25519.ts';
import type { TrustedKey, TrustRoot } from '../trust/trust-root.ts';

const COSIGNATURE_TYPE = 0x04;
/** Seconds and signature, after the four bytes of the key id. */
const PAYLOAD_BYTES = 72;
/** The last second of the year 9999. */
const SECONDS_MAX = 253_402_300_799;

/** Judges the cosignatures of a checkpoint (trust.md §7). `lines` are those of the note and then of the files. */
export function judgeWitnesses(
  checkpoint: Checkpoint,
  given: {
    readonly lines: readonly NoteSignature[];
    readonly trustRoot: TrustRoot | null;
    readonly insideOperator: string | null;
  },
  failures: Failures,
): Standing {
  const { lines, trustRoot, insideOperator } = given;
  if (lines.length === 0) {
    return absent('CLY_WITNESS_ABSENT', 'no cosignature');
  }
  if (trustRoot === null) {
    return absent('CLY_TRUST_ROOT_ABSENT', 'no trust root was passed');
  }
  const operators = new Set<string>();
  for (const line of lines) {
    const key = witnessOf(line, trustRoot);
    const seconds = key === undefined ? null : cosignedAt(line, key, checkpoint);
    if (key !== undefined && seconds === null) {
      const message = `the cosignature of ${line.name} does not hold`;
      failures.add({ claim: 'witness', code: 'CLY_WITNESS_SIGNATURE', message, location: { file: 'checkpoint' } });
    }
    if (key !== undefined && seconds !== null && counts(key, seconds * 1_000)) {
      operators.add(key.operator);
    }
  }
  const outside = [...operators].filter((operator) => operator !== insideOperator).length;
  return standingOf({ outside, all: operators.size, needed: trustRoot.thresholds.witness });
}

function witnessOf(line: NoteSignature, trustRoot: TrustRoot): TrustedKey | undefined {
  return [...trustRoot.keys.values()].find(
    (key) =>
      key.roles.has('witness') &&
      key.name === line.name &&
      noteKeyHint(line.name, key.publicKey, COSIGNATURE_TYPE).equals(line.keyHint),
  );
}

/** When the witness says that it saw the checkpoint, in seconds; null for a signature that does not hold. */
function cosignedAt(line: NoteSignature, key: TrustedKey, checkpoint: Checkpoint): number | null {
  if (line.signature.length !== PAYLOAD_BYTES || key.ed25519 === null) {
    return null;
  }
  const seconds = line.signature.readBigUInt64BE(0);
  if (seconds > BigInt(SECONDS_MAX)) {
    return null;
  }
  const head = Buffer.from(`cosignature/v1\ntime ${seconds}\n`);
  const message = Buffer.concat([head, checkpoint.signedBytes]);
  return verifyEd25519(key.ed25519, message, line.signature.subarray(8)) ? Number(seconds) : null;
}

/** A witness dates itself, so a revoked one is worth nothing. */
function counts(key: TrustedKey, timeMs: number): boolean {
  return key.revokedAtMs === null && timeMs >= key.validFromMs && timeMs <= key.validToMs;
}

function standingOf(count: { outside: number; all: number; needed: number }): Standing {
  if (count.outside >= count.needed) {
    return { status: 'PASS', code: null, message: `${count.outside} outside operators cosigned` };
  }
  if (count.outside > 0) {
    return { status: 'PARTIAL', code: 'CLY_WITNESS_QUORUM', message: `${count.needed} outside operators are needed` };
  }
  return count.all > 0
    ? { status: 'PARTIAL', code: 'CLY_WITNESS_INSIDE', message: 'only the operator of the log itself cosigned' }
    : absent('CLY_WITNESS_UNKNOWN', 'no cosignature of a known witness counts');
}

function absent(code: string, message: string): Standing {
  return { status: 'ABSENT', code, message };
}
