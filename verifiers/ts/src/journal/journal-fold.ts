// SPDX-License-Identifier: Apache-2.0
import { checkDecidedBindings, checkObservedBindings, type LogIdentity } from '../checks/bindings.ts';
import type { ChainCheck, Report } from '../checks/chain-check.ts';
import type { CommandCheck } from '../checks/command-check.ts';
import type { PolicyCheck } from '../checks/policy-check.ts';
import type { ReconciliationCheck } from '../checks/reconciliation-check.ts';
import type { SignatureCheck } from '../checks/signature-check.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DecidedLine, isCut, type JournalLine, type ObservedLine } from './line.ts';

export interface FoldChecks {
  readonly chain: ChainCheck;
  readonly signatures: SignatureCheck;
  readonly commands: CommandCheck;
  readonly policy: PolicyCheck;
  readonly reconciliation: ReconciliationCheck;
}

/** Folds lines over a ledger, in order, and lets each check see each line once. */
export class JournalFold {
  readonly ledger: Ledger;
  readonly checks: FoldChecks;
  readonly decisions: Record<'allow' | 'block' | 'hold' | 'recorded', number> = {
    allow: 0,
    block: 0,
    hold: 0,
    recorded: 0,
  };
  readonly #log: LogIdentity;
  readonly #report: Report;
  #last: JournalLine | null = null;

  constructor(parts: { log: LogIdentity; ledger: Ledger; checks: FoldChecks; report: Report }) {
    this.ledger = parts.ledger;
    this.checks = parts.checks;
    this.#log = parts.log;
    this.#report = parts.report;
  }

  /** The cut that ends the range, or null when the last line is none. */
  get lastCut(): DecidedLine | null {
    return this.#last?.kind === 'decided' && isCut(this.#last) ? this.#last : null;
  }

  /** Throws ShapeError for an observation that is not of its kind. */
  step(line: JournalLine): void {
    this.#last = line;
    switch (line.kind) {
      case 'decided':
        this.#decided(line);
        break;
      case 'observed':
        this.#observed(line);
        break;
      case 'matched':
        this.checks.reconciliation.matched(line);
        break;
    }
  }

  #decided(line: DecidedLine): void {
    this.#reportBinding(line, checkDecidedBindings(line, this.#log));
    const signature = this.checks.signatures.decided(line);
    this.checks.commands.decided(line);
    this.checks.chain.decided(line, signature);
    this.checks.policy.decided(line);
    this.checks.reconciliation.decided(line);
    this.decisions[line.decision?.decision ?? 'recorded'] += 1;
  }

  #observed(line: ObservedLine): void {
    this.#reportBinding(line, checkObservedBindings(line, this.#log));
    this.checks.signatures.observed(line);
    this.checks.chain.observed(line);
    this.checks.reconciliation.observed(line);
  }

  #reportBinding(line: JournalLine, mismatch: ReturnType<typeof checkDecidedBindings>): void {
    if (mismatch !== null) {
      this.#report({
        claim: 'integrity',
        code: mismatch.code,
        at: { line: line.line, member: mismatch.member },
        message: mismatch.message,
      });
    }
  }
}
