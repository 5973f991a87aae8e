// SPDX-License-Identifier: Apache-2.0
import { JsonError } from '../../canonical/json-error.ts';
import type { JsonValue } from '../../canonical/json-value.ts';
import { parseJson } from '../../canonical/parse-json.ts';
import type { AmountFact, Claimed, ItemsFact, SchemaFact, ValidatorFact } from '../../change/change-body.ts';
import type { Policy } from '../../policy/policy.ts';
import type { SchemaFinding } from '../../policy/schema-set.ts';
import type { ValidatorSet } from '../validator-set.ts';
import type { ItemDetection } from './item-detection.ts';
import type { ItemSplitter } from './item-splitter.ts';
import { ItemTally } from './item-tally.ts';
import { AROUND_BYTES_MAX, ITEM_BYTES_MAX, type StreamPlan } from './stream-plan.ts';

const NO_ITEMS = 'CLY_BODY_ITEMS';
const DEPTH_MAX = 32;
const VALUES_MAX = 200_000;

export type StreamSource = {
  readonly plan: StreamPlan;
  readonly policy: Policy;
  readonly routeId: string;
  readonly validators?: ValidatorSet;
  readonly detection?: ItemDetection;
};

/** What was found in a body that was never whole in memory. */
export type StreamFinding = {
  /** `ok`, or what makes it no acceptable JSON. */
  readonly content: string;
  readonly schema: SchemaFact;
  readonly items: ItemsFact;
  /** What stands around the items, which are not in it. */
  readonly value: JsonValue | undefined;
  readonly amounts: readonly AmountFact[];
  readonly tenants: readonly Claimed[];
  readonly actors: readonly Claimed[];
  readonly validators: readonly ValidatorFact[];
  readonly detection: ItemDetection | undefined;
};

/**
 * Reads a body chunk by chunk and judges each item as soon as it is whole: what is kept does not grow with the body.
 * The first fault ends the judging; the verdict cannot become better.
 */
export class BodyInspection {
  readonly #source: StreamSource;
  readonly #splitter: ItemSplitter;
  readonly #tally: ItemTally;
  readonly #place: string;
  #content = 'ok';
  #errors: readonly SchemaFinding[] = [];
  #count = 0;

  constructor(source: StreamSource) {
    this.#source = source;
    this.#splitter = source.plan.splitter();
    this.#tally = new ItemTally(source.policy, source.routeId);
    this.#place = source.plan.path.map((name) => `/${/^[A-Za-z0-9_.-]{1,64}$/.test(name) ? name : '*'}`).join('');
  }

  /** False once the body cannot become acceptable any more: the rest need not be looked at. */
  get isSound(): boolean {
    return this.#content === 'ok' && this.#errors.length === 0;
  }

  get content(): string {
    return this.#content;
  }

  get errors(): readonly SchemaFinding[] {
    return this.#errors;
  }

  get count(): number {
    return this.#count;
  }

  push(chunk: Uint8Array): void {
    if (!this.isSound) return;
    this.#guarded(() => this.#splitter.push(chunk, this.#onItem));
  }

  end(): StreamFinding {
    let value: JsonValue | undefined;
    if (this.isSound) {
      this.#guarded(() => {
        const around = this.#splitter.end(this.#onItem);
        if (around !== undefined) value = parseJson(around, limitsOf(AROUND_BYTES_MAX, DEPTH_MAX));
        if (this.#errors.length === 0) this.#checkWhole(value);
      });
    }
    if (!this.isSound) value = undefined;
    return this.#finding(value);
  }

  readonly #onItem = (bytes: Uint8Array, index: number): void => {
    if (this.#errors.length > 0) return;
    const { plan, validators, detection } = this.#source;
    const item = parseJson(bytes, limitsOf(ITEM_BYTES_MAX, DEPTH_MAX - plan.path.length - 1));
    this.#count = index + 1;
    const place = `${this.#place}/${index}`;
    this.#errors = plan
      .checkItem(item)
      .map(({ pointer, rule }) => ({ pointer: `${place}${pointer}`.slice(0, 256), rule }));
    if (this.#errors.length > 0) return;
    validators?.look(item, place);
    detection?.look(item, place);
    if (plan.form !== 'json') this.#tally.add(item);
  };

  #checkWhole(around: JsonValue | undefined): void {
    const { plan, detection } = this.#source;
    // No list, or nothing in it: what the rules say of items was then said of nothing.
    if (plan.form !== 'json' && this.#count === 0) this.#content = NO_ITEMS;
    else this.#errors = plan.checkAround(around, this.#count).slice(0, 8);
    if (around !== undefined) detection?.look(around, '');
  }

  #guarded(step: () => void): void {
    try {
      step();
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      this.#content = error.code;
    }
  }

  #finding(value: JsonValue | undefined): StreamFinding {
    const { plan, validators, detection } = this.#source;
    const verdict = this.#content === 'ok' ? (this.#errors.length === 0 ? 'valid' : 'invalid') : 'not_checked';
    return {
      content: this.#content,
      schema:
        plan.schemaId !== null
          ? { id: plan.schemaId, verdict, errors: this.#errors }
          : { id: null, verdict: 'not_required', errors: [] },
      items: { form: plan.form, count: this.#count },
      value,
      amounts: this.#tally.amounts,
      tenants: this.#tally.tenants,
      actors: this.#tally.actors,
      validators: validators?.facts(this.isSound) ?? [],
      detection,
    };
  }
}

function limitsOf(bytesMax: number, depthMax: number): { bytesMax: number; depthMax: number; valuesMax: number } {
  return { bytesMax, depthMax, valuesMax: VALUES_MAX };
}
