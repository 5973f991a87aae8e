// SPDX-License-Identifier: Apache-2.0
import { type DecidedLine, isCut, type ObservedLine, type SignedBody } from '../journal/line.ts';
import type { SignatureBlock } from '../signature/block.ts';
import type { BlockVerifier, SigningRole } from '../signature/block-verifier.ts';
import { isRefusedForgery } from './bindings.ts';
import type { Report, SignatureVerdict } from './chain-check.ts';

export type Mode = 'head' | 'full';

/** Judges the signature blocks of lines: of all of them, or in `head` mode of cuts only. */
export class SignatureCheck {
  readonly #verifier: BlockVerifier | null;
  readonly #mode: Mode;
  readonly #report: Report;

  /** Without a trust root there is no verifier, and nothing is judged. */
  constructor(verifier: BlockVerifier | null, mode: Mode, report: Report) {
    this.#verifier = verifier;
    this.#mode = mode;
    this.#report = report;
  }

  /** What the receipt's signature says; the change's is reported. */
  decided(line: DecidedLine): SignatureVerdict {
    if (this.#verifier === null || (this.#mode === 'head' && !isCut(line))) {
      return 'unchecked';
    }
    if (!isRefusedForgery(line)) {
      this.#judge(this.#verifier, line.change, { role: 'intake', member: 'change', line });
    }
    return line.receipt.sig === null
      ? 'unchecked'
      : this.#judge(this.#verifier, line.receipt, { role: 'enforcer', member: 'receipt', line });
  }

  observed(line: ObservedLine): void {
    if (this.#verifier !== null && this.#mode === 'full') {
      this.#judge(this.#verifier, line.observation, { role: 'recorder', member: 'observation', line });
    }
  }

  #judge(
    verifier: BlockVerifier,
    body: Pick<SignedBody<unknown>, 'digest' | 'sig'>,
    by: { role: SigningRole; member: string; line: DecidedLine | ObservedLine },
  ): SignatureVerdict {
    const place = { role: by.role, timeMs: by.line.appendTimeMs };
    const code = verifier.check(body.sig as SignatureBlock, Buffer.from(body.digest, 'hex'), place);
    if (code === null) {
      return 'good';
    }
    const message = `body or signature block is not what a key of role ${by.role} signed`;
    this.#report({ claim: 'authorship', code, at: { line: by.line.line, member: by.member }, message });
    return 'bad';
  }
}
