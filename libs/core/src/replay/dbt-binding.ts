// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { DecidedLine, ObservedLine } from '../evidence/journal-line.ts';

export type DbtDigests = {
  readonly invocationId: string;
  /** Of the bytes of both artifacts. */
  readonly files: ReadonlySet<Digest>;
  /** RFC 8785 digest of the run results, as `dbt_tests` rules take it. */
  readonly results: Digest;
};

/**
 * What lines of a bundle say of a dbt run: a body or document that is one of its artifacts, what inspection read of
 * its results, or SQL texts that are those of its nodes.
 */
export class DbtBinding {
  readonly #digests: DbtDigests;
  readonly #statements = new Set<Digest>();
  #isBound = false;
  #order: number | undefined;
  #contradiction: number | undefined;

  constructor(digests: DbtDigests) {
    this.#digests = digests;
  }

  decided(leaf: number, { change: { body }, receipt }: DecidedLine): void {
    if (body.kind !== 'change.requested') return;
    const { facts } = body;
    if (this.#digests.files.has(facts.payload_digest)) this.#bind(leaf);
    for (const { digest, invocation_id: invocation } of facts.dbt_test_results ?? []) {
      if (digest === this.#digests.results) this.#bind(leaf);
      else if (digest !== null && invocation === this.#digests.invocationId) this.#contradiction ??= leaf;
    }
    if (receipt.body.kind !== 'decided' || receipt.body.decision !== 'allow') return;
    for (const { statement_digest: digest } of facts.sql ?? []) this.#statements.add(digest);
  }

  observed(leaf: number, { observation: { body } }: ObservedLine): void {
    if (body.kind === 'document' && this.#digests.files.has(body.sha256)) this.#bind(leaf);
  }

  #bind(leaf: number): void {
    this.#isBound = true;
    this.#order ??= leaf;
  }

  /** The first leaf that knows the run's results. */
  get order(): number | undefined {
    return this.#order;
  }

  /** The first leaf that says of the same invocation that its results were others. */
  get contradiction(): number | undefined {
    return this.#contradiction;
  }

  binds(statement: Digest): boolean {
    return this.#isBound || this.#statements.has(statement);
  }
}
