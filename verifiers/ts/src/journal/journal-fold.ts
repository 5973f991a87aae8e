// SPDX-License-Identifier: Apache-2.0
import { checkDecidedBindings, checkObservedBindings, type LogIdentity, type Mismatch } from '../checks/bindings.ts';
import type { ChainCheck } from '../checks/chain-check.ts';
import type { CommandCheck } from '../checks/command-check.ts';
import type { DocumentCheck } from '../checks/document-check.ts';
import type { Metrics } from '../checks/metrics.ts';
import type { PolicyCheck } from '../checks/policy-check.ts';
import type { ReconciliationCheck } from '../checks/reconciliation-check.ts';
import type { Report } from '../checks/report.ts';
import type { SeparationCheck } from '../checks/separation-check.ts';
import type { SignatureCheck } from '../checks/signature-check.ts';
import type { SourceCheck } from '../checks/source-check.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type DecidedLine, isCut, type JournalLine, type ObservedLine } from './line.ts';
import type { TrustFold } from './trust-fold.ts';

export interface FoldChecks {
  readonly chain: ChainCheck;
  readonly signatures: SignatureCheck;
  readonly commands: CommandCheck;
  readonly policy: PolicyCheck;
  readonly sources: SourceCheck;
  readonly reconciliation: ReconciliationCheck;
  readonly documents: DocumentCheck;
  readonly separation: SeparationCheck;
  readonly metrics: Metrics;
}

/** Folds lines over a ledger, in order, and lets each check see each line once (verification.md §3, 9). */
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
  readonly #trust: TrustFold;
  readonly #report: Report;
  #last: JournalLine | null = null;
  #first: JournalLine | null = null;

  constructor(parts: { log: LogIdentity; ledger: Ledger; checks: FoldChecks; trust: TrustFold; report: Report }) {
    this.ledger = parts.ledger;
    this.checks = parts.checks;
    this.#log = parts.log;
    this.#trust = parts.trust;
    this.#report = parts.report;
  }

  /** The cut that ends the range, or null when the last line is none. */
  get lastCut(): DecidedLine | null {
    return this.#last?.kind === 'decided' && isCut(this.#last) ? this.#last : null;
  }

  get first(): JournalLine | null {
    return this.#first;
  }

  step(line: JournalLine): void {
    this.#first ??= line;
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
    const { checks } = this;
    this.#reportBinding(line.line, checkDecidedBindings(line, this.#log));
    const signature = checks.signatures.decided(line);
    checks.commands.decided(line, this.ledger.trustRoot);
    this.#trust.decided(line);
    checks.chain.decided(line, signature);
    checks.policy.decided(line);
    checks.sources.decided(line);
    checks.reconciliation.decided(line);
    checks.documents.decided(line);
    checks.separation.decided(line);
    checks.metrics.decided(line);
    this.decisions[line.decision?.decision ?? 'recorded'] += 1;
  }

  #observed(line: ObservedLine): void {
    const { checks } = this;
    this.#reportBinding(line.line, checkObservedBindings(line, this.#log));
    checks.signatures.observed(line);
    checks.sources.observed(line);
    checks.reconciliation.observed(line);
    checks.documents.observed(line);
    checks.separation.observed(line);
    checks.metrics.observed(line);
  }

  #reportBinding(line: number, mismatch: Mismatch | null): void {
    if (mismatch !== null) {
      const { code, member, message } = mismatch;
      this.#report({ claim: 'integrity', code, at: { line, member }, message });
    }
  }
}
