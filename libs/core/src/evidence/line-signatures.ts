// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';
import { BatchVerifier } from '../signing/batch-verifier.ts';
import { CHANGE_TYPE, OBSERVATION_TYPE, RECEIPT_TYPE } from '../signing/pae.ts';
import type { Role, TrustRoot } from '../signing/trust-root.ts';
import type { DecidedLine, SourceLine } from './journal-line.ts';
import type { ObservationKind } from './observation-body.ts';

/** What of a line is signed; a line that is not assembled yet will do. */
export type SignedLine =
  | Pick<DecidedLine, 'kind' | 'appendTimeMs' | 'change' | 'receipt'>
  | Omit<Extract<SourceLine, { kind: 'observed' }>, 'bytes'>;

/**
 * Checks the signature blocks of lines under the tenant's trust root, at the line's append time
 * (docs/spec/records.md §3). One instance remembers the sends it has verified.
 */
export class LineSignatures {
  readonly #changes = new BatchVerifier(CHANGE_TYPE, 'intake');
  readonly #receipts = new BatchVerifier(RECEIPT_TYPE, 'enforcer');
  readonly #observations = new Map<Role, BatchVerifier>();

  /** Throws CLY_LOG_SIGNATURE. */
  check(line: SignedLine, root: TrustRoot): void {
    const atMs = line.appendTimeMs;
    if (line.kind === 'observed') {
      const { body, digest, block } = line.observation;
      const isSigned = SIGNERS[body.kind].some((role) => this.#observer(role).verify(root, { digest, block, atMs }));
      if (!isSigned) throw unsigned('observation', atMs);
      return;
    }
    const { change, receipt } = line;
    if (
      !this.#changes.verify(root, { digest: change.digest, block: change.block, atMs }) &&
      !isRefusedAsUnsigned(line)
    ) {
      throw unsigned('change', receipt.body.offset);
    }
    if (receipt.block === null) return;
    if (!this.#receipts.verify(root, { digest: receipt.digest, block: receipt.block, atMs })) {
      throw unsigned('receipt', receipt.body.offset);
    }
  }

  #observer(role: Role): BatchVerifier {
    const known = this.#observations.get(role) ?? new BatchVerifier(OBSERVATION_TYPE, role);
    this.#observations.set(role, known);
    return known;
  }
}

const SERVICES = ['intake', 'enforcer', 'recorder', 'bundler', 'attestor'] as const;

/** Who may say what (docs/spec/records.md §6). */
const SIGNERS: Readonly<Record<ObservationKind, readonly Role[]>> = {
  transaction: ['recorder'],
  watermark: ['recorder'],
  gap: ['recorder'],
  coverage: ['recorder'],
  outage: SERVICES,
  accessed: ['bundler', 'attestor', 'operator'],
  document: SERVICES,
};

/** A change that its intake did not sign still has a receipt, which says so; it belongs to the log as refused. */
function isRefusedAsUnsigned({ receipt: { body } }: Pick<DecidedLine, 'receipt'>): boolean {
  if (body.kind === 'recorded') return body.effect === 'ignored';
  return body.decision === 'block' && body.reasons.some((reason) => reason.code === 'CLY_CHANGE_SIGNATURE');
}

function unsigned(what: string, at: number): ClyraError {
  return new ClyraError(
    'CLY_LOG_SIGNATURE',
    `the signature of a ${what} does not hold under the tenant's trust root (${at}): find out who can write to the topic before going on`,
    { retry: 'never', context: { what, at } },
  );
}
