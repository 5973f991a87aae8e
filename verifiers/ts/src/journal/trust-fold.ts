// SPDX-License-Identifier: Apache-2.0
import { allowedCommand, digestIn } from '../checks/bindings.ts';
import type { Report } from '../checks/report.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { DELEGATIONS_MAX, type Delegation, type KeyBook, validToOf } from '../trust/delegations.ts';
import type { DecidedLine } from './line.ts';

/** Follows what commands say about trust: the trust root of the log, and keys that are lent (trust.md §3, §5). */
export class TrustFold {
  readonly #ledger: Ledger | null;
  readonly #keys: KeyBook | null;
  readonly #report: Report;

  /** An export has no ledger, and so no limit to what was lent over time. */
  constructor(ledger: Ledger | null, keys: KeyBook | null, report: Report) {
    this.#ledger = ledger;
    this.#keys = keys;
    this.#report = report;
  }

  /** After the line was judged: what it says holds for the lines behind it. */
  decided(line: DecidedLine): void {
    const named = digestIn(allowedCommand(line, 'tenant.opened', 'trust_root.activated')?.trust_root);
    if (named !== undefined && this.#ledger !== null) {
      this.#ledger.trustRoot = named;
    }
    const command = allowedCommand(line, 'key.delegated');
    const { signatures } = line.change.value;
    if (command === undefined || validToOf(command) === null || !Array.isArray(signatures)) {
      return;
    }
    const delegation: Delegation = { append_time: line.appendTimeMs, command, signatures };
    if (this.#ledger !== null && this.#ledger.delegations.length >= DELEGATIONS_MAX) {
      const message = `more than ${DELEGATIONS_MAX} delegations`;
      this.#report({ claim: 'integrity', code: 'CLY_LEDGER_LIMIT', at: { line: line.line }, message });
      return;
    }
    this.#ledger?.delegations.push(delegation);
    this.#keys?.lend(delegation);
  }
}
