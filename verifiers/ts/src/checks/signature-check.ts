// SPDX-License-Identifier: Apache-2.0
import { type DecidedLine, isCut, type ObservedLine } from '../journal/line.ts';
import type { SignatureBlock } from '../signature/block.ts';
import type { BlockVerifier, BodyKind } from '../signature/block-verifier.ts';
import type { Role } from '../trust/trust-root.ts';
import { isRefusedForgery } from './bindings.ts';
import type { SignatureVerdict } from './chain-check.ts';
import type { Report } from './report.ts';

export type Mode = 'head' | 'full';

const SERVICES: readonly Role[] = ['intake', 'enforcer', 'recorder', 'bundler', 'attestor'];
/** Who may sign an observation of a kind (records.md §6); one of another kind has no effect, whoever signs it. */
const OBSERVERS: ReadonlyMap<string, readonly Role[]> = new Map<string, readonly Role[]>([
  ['transaction', ['recorder']],
  ['watermark', ['recorder']],
  ['gap', ['recorder', 'intake']],
  ['coverage', ['recorder']],
  ['outage', SERVICES],
  ['accessed', ['bundler', 'attestor', 'operator']],
  ['document', SERVICES],
]);
const ANY_OBSERVER: readonly Role[] = [...SERVICES, 'operator'];

interface ToJudge {
  readonly line: number;
  readonly member: string;
  readonly block: SignatureBlock;
  readonly digest: Buffer;
}

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
    const timeMs = line.appendTimeMs;
    if (!isRefusedForgery(line)) {
      const change = { line: line.line, member: 'change', block: line.change.sig, digest: line.change.digest() };
      this.#judge(change, { body: 'change', roles: ['intake'], timeMs });
    }
    if (line.receipt.sig === null) {
      return 'unchecked';
    }
    const receipt = { line: line.line, member: 'receipt', block: line.receipt.sig, digest: line.receipt.digest() };
    return this.#judge(receipt, { body: 'receipt', roles: ['enforcer'], timeMs }) ? 'good' : 'bad';
  }

  observed(line: ObservedLine): void {
    if (this.#verifier !== null && this.#mode === 'full') {
      const { read, sig } = line.observation;
      const roles = OBSERVERS.get(read.kind) ?? ANY_OBSERVER;
      const observation = { line: line.line, member: 'observation', block: sig, digest: line.observation.digest() };
      this.#judge(observation, { body: 'observation', roles, timeMs: line.appendTimeMs });
    }
  }

  #judge(what: ToJudge, as: { body: BodyKind; roles: readonly Role[]; timeMs: number }): boolean {
    const code = this.#verifier?.check(what.block, what.digest, as) ?? null;
    if (code !== null) {
      const message = `its signature by key ${what.block.key_id} does not hold (${code})`;
      this.#report({ claim: 'authorship', code, at: { line: what.line, member: what.member }, message });
    }
    return code === null;
  }
}
