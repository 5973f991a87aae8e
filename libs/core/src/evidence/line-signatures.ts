// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '../kernel/error.ts';
import { BatchVerifier } from '../signing/batch-verifier.ts';
import { type Delegation, readDelegation, type SignedCommand, withDelegations } from '../signing/delegation.ts';
import { CHANGE_TYPE, OBSERVATION_TYPE, RECEIPT_TYPE } from '../signing/pae.ts';
import type { Role, TrustRoot } from '../signing/trust-root.ts';
import type { DecidedLine, SourceLine } from './journal-line.ts';
import type { LedgerDelegation } from './ledger.ts';
import type { ObservationKind } from './observation-body.ts';

/** What of a line is signed; a line that is not assembled yet will do. */
export type SignedLine =
  | Pick<DecidedLine, 'kind' | 'appendTimeMs' | 'change' | 'receipt'>
  | Omit<Extract<SourceLine, { kind: 'observed' }>, 'bytes'>;

type DecidedSignedLine = Extract<SignedLine, { kind: 'decided' }>;

/**
 * Checks the signature blocks of lines under the tenant's trust root, at the line's append time
 * (docs/spec/records.md §3). One instance remembers the sends it has verified.
 */
export class LineSignatures {
  readonly #changes = new BatchVerifier(CHANGE_TYPE, 'intake');
  readonly #receipts = new BatchVerifier(RECEIPT_TYPE, 'enforcer');
  readonly #observations = new Map<Role, BatchVerifier>();

  /** Of each tenant what earlier lines lend to processes; lines come in the order of the log. */
  readonly #lent = new Map<string, readonly Delegation[]>();
  readonly #roots = new Map<string, { readonly base: TrustRoot; readonly lent: TrustRoot }>();

  /** Throws CLY_LOG_SIGNATURE. */
  check(line: SignedLine, trustRoot: TrustRoot): void {
    const tenant = line.kind === 'observed' ? line.observation.body.tenant : line.change.body.tenant;
    this.#judge(line, this.#rootOf(tenant, trustRoot));
    if (line.kind === 'decided') this.#lend(tenant, line, trustRoot);
  }

  /** What a ledger says was lent by lines that are not read again. */
  resume(tenant: string, trustRoot: TrustRoot, lent: readonly LedgerDelegation[]): void {
    const delegations = lent.flatMap(
      ({ append_time: atMs, ...signed }) => readDelegation(trustRoot, signed as SignedCommand, atMs) ?? [],
    );
    if (delegations.length > 0) this.#lent.set(tenant, delegations);
  }

  #rootOf(tenant: string, base: TrustRoot): TrustRoot {
    const delegations = this.#lent.get(tenant);
    if (delegations === undefined) return base;
    const known = this.#roots.get(tenant);
    if (known?.base === base) return known.lent;
    const lent = withDelegations(base, delegations);
    this.#roots.set(tenant, { base, lent });
    return lent;
  }

  #lend(tenant: string, { change, receipt: { body }, appendTimeMs }: DecidedSignedLine, root: TrustRoot): void {
    if (change.body.kind !== 'key.delegated' || body.kind !== 'decided' || body.decision !== 'allow') return;
    const delegation = readDelegation(root, change.body, appendTimeMs);
    if (delegation === undefined) return;
    const open = (this.#lent.get(tenant) ?? []).filter((one) => one.valid_to >= appendTimeMs);
    this.#lent.set(tenant, [...open, delegation]);
    this.#roots.delete(tenant);
  }

  #judge(line: SignedLine, root: TrustRoot): void {
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
  gap: ['recorder', 'intake'],
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
