// SPDX-License-Identifier: Apache-2.0
import type { DecidedLine } from '../journal/line.ts';
import { isObject } from '../json/json-value.ts';
import { allowedCommand, digestIn } from './bindings.ts';
import type { Report } from './report.ts';

/** Of an export: which policies the lines in place name, that they are here, and that requests were inspected under them. */
export class ExportPolicies {
  readonly #sound: ReadonlyMap<string, unknown>;
  readonly #report: Report;
  readonly #named: Set<string> = new Set();

  /** `sound`: the sound policy artifacts, by digest. */
  constructor(sound: ReadonlyMap<string, unknown>, report: Report) {
    this.#sound = sound;
    this.#report = report;
  }

  /** Whether a body was decided under it, or a line puts it in force. */
  isNamed(sha256: string): boolean {
    return this.#named.has(sha256);
  }

  decided(line: DecidedLine): void {
    if (line.decision === null) {
      return;
    }
    const { policy_digest: stated, decision } = line.decision;
    const put = digestIn(allowedCommand(line, 'policy.activated', 'tenant.opened')?.policy);
    for (const digest of [stated, put]) {
      if (typeof digest === 'string') {
        this.#named.add(digest);
        if (!this.#sound.has(digest)) {
          this.#fail(line, 'CLY_POLICY_MISSING', `${digest} is no sound artifact of kind policy`);
        }
      }
    }
    const { inspected_under: under } = line.receipt.value;
    const inspected = isObject(under) ? under.policy_digest : undefined;
    if (line.receipt.read.change_kind === 'change.requested' && decision !== 'block' && inspected !== stated) {
      this.#fail(line, 'CLY_POLICY_INSPECTION', 'was not inspected under the policy that decided');
    }
  }

  #fail({ line }: DecidedLine, code: string, message: string): void {
    this.#report({ claim: 'policy', code, at: { line, member: 'receipt.body' }, message });
  }
}
