// SPDX-License-Identifier: Apache-2.0
import { allowedCommand } from '../checks/bindings.ts';
import type { Report } from '../checks/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { DELEGATIONS_MAX, type Delegation, type KeyBook } from '../trust/delegations.ts';
import type { DecidedLine } from './line.ts';

/** Follows what commands say about trust: the trust root of the log, and keys that are lent (trust.md §3, §5). */
export class TrustFold {
  readonly #ledger: Ledger;
  readonly #keys: KeyBook | null;
  readonly #report: Report;

  constructor(ledger: Ledger, keys: KeyBook | null, report: Report) {
    this.#ledger = ledger;
    this.#keys = keys;
    this.#report = report;
  }

  /** Before the signatures of the line are judged: its change may be signed by the very key that it lends. */
  decided(line: DecidedLine): void {
    const named = allowedCommand(line, 'tenant.opened', 'trust_root.activated')?.trust_root;
    if (typeof named === 'string') {
      this.#ledger.trustRoot = named;
    }
    const command = allowedCommand(line, 'key.delegated');
    if (command === undefined) {
      return;
    }
    const { signatures = null } = line.change.value;
    const delegation: Delegation = { append_time: line.appendTimeMs, command, signatures };
    if (this.#ledger.delegations.length >= DELEGATIONS_MAX) {
      const message = `more than ${DELEGATIONS_MAX} delegations`;
      this.#report({ claim: 'integrity', code: 'CLY_LEDGER_LIMIT', at: { line: line.line }, message });
      return;
    }
    this.#ledger.delegations.push(delegation);
    this.#keys?.lend(delegation);
  }
}
