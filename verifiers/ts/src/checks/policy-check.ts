// SPDX-License-Identifier: Apache-2.0
import type { GuardedSource } from '../documents/policy-document.ts';
import type { DecidedLine } from '../journal/line.ts';
import { isObject } from '../json/json-value.ts';
import { guardedOf, type Ledger } from '../ledger/ledger.ts';
import { allowedCommand, digestIn } from './bindings.ts';
import type { Report } from './report.ts';

const MISSING_MAX = 1_024;
/** No manifest can list more. */
const LISTED_MAX = 4_097;

/** Follows which policy is in force, and whether each body was decided, and each request inspected, under it. */
export class PolicyCheck {
  readonly #ledger: Ledger;
  readonly #documents: ReadonlyMap<string, readonly GuardedSource[]>;
  readonly #report: Report;
  readonly #missing: Set<string> = new Set();
  readonly #inForce: string[] = [];
  /** The document that was there last: nearly every line names it. */
  #found: string | null = null;

  /** `documents`: what each sound policy artifact guards, by digest. */
  constructor(ledger: Ledger, documents: ReadonlyMap<string, readonly GuardedSource[]>, report: Report) {
    this.#ledger = ledger;
    this.#documents = documents;
    this.#report = report;
    if (ledger.policy !== null) {
      this.#inForce.push(ledger.policy);
    }
  }

  /** Digests of the policies in force in the range, in order. */
  get inForce(): readonly string[] {
    return this.#inForce;
  }

  decided(line: DecidedLine): void {
    if (line.decision === null) {
      return;
    }
    const put = digestIn(allowedCommand(line, 'policy.activated', 'tenant.opened')?.policy);
    const { policy_digest: stated, decision } = line.decision;
    const isRequest = line.receipt.read.change_kind === 'change.requested';
    const at = { line: line.line, member: 'receipt.body.policy_digest' };
    if (stated !== this.#ledger.policy && (isRequest || stated !== put)) {
      this.#report({ claim: 'policy', code: 'CLY_POLICY_OTHER', at, message: 'is not the policy in force' });
    }
    this.#requireDocument(stated, at);
    if (put !== undefined) {
      this.#activate(put, line.line);
    }
    const { inspected_under: under } = line.receipt.value;
    const inspected = isObject(under) ? under.policy_digest : undefined;
    // A refused request may have been inspected under another policy, or under none that counts.
    if (isRequest && decision !== 'block' && inspected !== stated) {
      const message = 'is not the policy that decided';
      this.#report({
        claim: 'policy',
        code: 'CLY_POLICY_INSPECTION',
        at: { line: line.line, member: 'receipt.body.inspected_under' },
        message,
      });
    }
  }

  #activate(policy: string, line: number): void {
    if (policy !== this.#ledger.policy && this.#inForce.length < LISTED_MAX) {
      this.#inForce.push(policy);
    }
    this.#ledger.policy = policy;
    const guarded = this.#documents.get(policy);
    this.#ledger.guarded = guardedOf(guarded ?? []);
    const at = { line, member: 'change.body.command.policy' };
    this.#requireDocument(policy, at);
    if (guarded === undefined) {
      const message = 'names no document, so what it guards is not known';
      this.#report({ claim: 'reconciliation', code: 'CLY_RECONCILE_POLICY', at, message });
    }
  }

  #requireDocument(digest: string | null, at: { line: number; member: string }): void {
    if (digest === null || digest === this.#found) {
      return;
    }
    if (this.#documents.has(digest)) {
      this.#found = digest;
      return;
    }
    if (this.#missing.has(digest)) {
      return;
    }
    if (this.#missing.size < MISSING_MAX) {
      this.#missing.add(digest);
    }
    this.#report({
      claim: 'policy',
      code: 'CLY_POLICY_MISSING',
      at,
      message: `${digest} is no sound artifact of kind policy`,
    });
  }
}
