// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../json/json-error.ts';
import { ShapeError } from '../json/shape.ts';
import { CLAIM_IDS, type ClaimId, type Failure, type Location } from './claim.ts';

/** Kept of each claim: a broken bundle can fail at each of its lines, and the first ones tell the story. */
const KEPT_PER_CLAIM_MAX = 50;

/** Collects what is wrong. Nothing here throws: a hostile bundle yields failures, never an exception. */
export class Failures {
  readonly #kept: Failure[] = [];
  readonly #counts: Map<ClaimId, number> = new Map();
  readonly #unsupported: Map<ClaimId, Failure> = new Map();
  #malformed: Failure | null = null;
  isUnsupportedFormat = false;

  add(failure: Failure): void {
    const { claim } = failure;
    const count = this.count(claim) + 1;
    this.#counts.set(claim, count);
    if (count <= KEPT_PER_CLAIM_MAX) {
      this.#kept.push(failure);
    }
  }

  /** A failure after which the bundle is not one of the format at all (exit 2). */
  addMalformed(failure: Failure): void {
    this.#malformed ??= failure;
    this.add(failure);
  }

  /** A version or algorithm that this verifier does not know (exit 3). */
  addUnsupported(failure: Failure): void {
    if (!this.#unsupported.has(failure.claim)) {
      this.#unsupported.set(failure.claim, failure);
    }
  }

  /** The bundle as a whole is of another version: nothing of it was judged. */
  addUnsupportedFormat(message: string, location: Location): void {
    this.isUnsupportedFormat = true;
    for (const claim of CLAIM_IDS) {
      this.addUnsupported({ claim, code: 'CLY_BUNDLE_FORMAT', message, location });
    }
  }

  get malformed(): Failure | null {
    return this.#malformed;
  }

  count(claim: ClaimId): number {
    return this.#counts.get(claim) ?? 0;
  }

  first(claim: ClaimId): Failure | undefined {
    return this.#kept.find((failure) => failure.claim === claim);
  }

  unsupported(claim: ClaimId): Failure | undefined {
    return this.#unsupported.get(claim);
  }

  get kept(): readonly Failure[] {
    return this.#kept;
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}

/** Code, message and place of an error of the parsers; `shapeCode` names the format. Other errors are thrown again. */
export function describeParseError(
  error: unknown,
  shapeCode: string,
  at: { file: string; line?: number },
): { code: string; message: string; location: Location } {
  if (error instanceof JsonError) {
    return { code: error.code, message: error.message, location: { ...at, byte: error.byte } };
  }
  if (error instanceof ShapeError) {
    const message = error.member === '' ? error.message : `${error.member} ${error.message}`;
    return { code: shapeCode, message, location: { ...at, member: error.member } };
  }
  throw error;
}
