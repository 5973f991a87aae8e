// SPDX-License-Identifier: Apache-2.0
import type { Effect } from './effect.ts';

/** What a repair may change; never the value of a number, a name, or anything that an `enum` or `const` speaks of. */
export const REPAIRS = [
  'syntax',
  'text_to_number',
  'text_to_boolean',
  'number_to_text',
  'boolean_to_text',
  'wrap_in_list',
  'trim_text',
] as const;
export type Repair = (typeof REPAIRS)[number];

export type BodyForm = 'json' | 'ndjson' | 'items';

/** How a route's bodies are read. Absent, a body is one JSON value of at most a mebibyte. */
export type BodyRule = {
  /** `json`: the schema is about the whole value; `items`: about each item of a list; `ndjson`: about each line. */
  readonly form: BodyForm;
  /** The pointer of the long list; null where there is none. */
  readonly items: string | null;
  /** With `items`: the schema of what stands around the list, in which the list is empty; null: nothing may. */
  readonly envelope: string | null;
  readonly bytes_max: number;
  readonly items_max: number;
  /** From the first byte to the last. */
  readonly deadline_seconds: number;
  readonly repair: readonly Repair[];
};

/** What is asked of an upstream's answer. */
export type ResponseRule = {
  /** The schema of successful answers, or null. */
  readonly schema: string | null;
  readonly form: BodyForm;
  readonly items: string | null;
  readonly bytes_max: number;
  /** How long an answer may stream, all in all and between two pieces. */
  readonly total_seconds: number;
  readonly silence_seconds: number;
};

/** A business rule: a schema beside the route's own, with an effect of its own. */
export type ValidatorRule = {
  readonly id: string;
  readonly routes: readonly string[];
  readonly schema: string;
  readonly effect: Effect;
};

/** What dbt's run_results.json must say for the change to go on. */
export type DbtTestsRule = {
  readonly id: string;
  readonly routes: readonly string[];
  /** Where the document stands in the body. */
  readonly results: string;
  readonly tests_min: number;
  readonly failures_max: number;
  readonly warnings_max: number | null;
  /** Unique ids of tests that must have passed. */
  readonly required: readonly string[];
  readonly effect: Effect;
};
