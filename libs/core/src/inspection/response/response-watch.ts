// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import { BODY_LIMITS, parseJson } from '../../canonical/parse-json.ts';
import type { ResponseEnd, ResponseFact } from '../../change/inspection-facts.ts';
import type { ResponseRule } from '../../policy/body-rules.ts';
import { EMPTY_POLICY, type Policy } from '../../policy/policy.ts';
import type { SchemaFinding, SchemaSet } from '../../policy/schema-set.ts';
import { mediaType } from '../check-body.ts';
import { BodyInspection } from '../stream/body-inspection.ts';
import { streamPlan } from '../stream/stream-plan.ts';
import { EventNotary } from './event-notary.ts';

/** Looks at an answer while it passes. */
export interface ResponseWatch {
  readonly count: number;
  /** False when this piece must not be passed on: what came with it is not acceptable. */
  push(chunk: Uint8Array): boolean;
  /** False when the answer is at its end and still not acceptable. */
  end(): boolean;
  fact(end: ResponseEnd): ResponseFact;
}

/** What is asked of one answer. `whole`: it must be checked before any of it is passed on. */
export type ResponseDemand = { readonly whole: { readonly schemaId: string } } | { readonly watch: ResponseWatch };

export type AnswerHead = { readonly status: number; readonly contentType: string | null };

/** undefined where the route asks nothing and the answer is no event stream. */
export function demandOf(
  under: { readonly policy: Policy },
  rule: ResponseRule | undefined,
  head: AnswerHead,
): ResponseDemand | undefined {
  if (mediaType(head.contentType) === 'text/event-stream') return { watch: new EventWatch() };
  if (rule === undefined) return undefined;
  const isSuccess = head.status >= 200 && head.status < 300;
  if (rule.schema === null || !isSuccess) return { watch: new BytesWatch() };
  const plan = streamPlan(under.policy, rule.schema, rule);
  if (plan === undefined) return { whole: { schemaId: rule.schema } };
  return { watch: new ItemsWatch(new BodyInspection({ plan, policy: EMPTY_POLICY, routeId: '' }), rule) };
}

/** Whether a whole answer fits its schema, as it will stand in the outcome. */
export function checkWholeResponse(schemas: SchemaSet, schemaId: string, bytes: Uint8Array): ResponseFact {
  let errors: readonly SchemaFinding[];
  let verdict: 'valid' | 'invalid' | 'not_checked';
  try {
    errors = schemas.check(schemaId, parseJson(bytes, BODY_LIMITS), false).slice(0, 4);
    verdict = errors.length === 0 ? 'valid' : 'invalid';
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    errors = [{ pointer: '', rule: error.code }];
    verdict = 'not_checked';
  }
  return {
    form: 'json',
    end: verdict === 'valid' ? 'complete' : 'invalid',
    size: bytes.length,
    digest: digestOf(bytes),
    schema: { id: schemaId, verdict, errors },
  };
}

class EventWatch implements ResponseWatch {
  readonly #notary = new EventNotary();

  get count(): number {
    return this.#notary.count;
  }

  push(chunk: Uint8Array): boolean {
    this.#notary.push(chunk);
    return true;
  }

  end(): boolean {
    return true;
  }

  fact(end: ResponseEnd): ResponseFact {
    return this.#notary.fact(end);
  }
}

class BytesWatch implements ResponseWatch {
  readonly count = 0;
  readonly #hash = createHash('sha256');
  #size = 0;

  push(chunk: Uint8Array): boolean {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    return true;
  }

  end(): boolean {
    return true;
  }

  fact(end: ResponseEnd): ResponseFact {
    return { form: 'bytes', end, size: this.#size, digest: this.#hash.copy().digest('hex') };
  }
}

/** Items are judged before the piece that completes them is passed on; the rest after a bad one never is. */
class ItemsWatch implements ResponseWatch {
  readonly #inspection: BodyInspection;
  readonly #rule: ResponseRule;
  readonly #bytes = new BytesWatch();

  constructor(inspection: BodyInspection, rule: ResponseRule) {
    this.#inspection = inspection;
    this.#rule = rule;
  }

  get count(): number {
    return this.#inspection.count;
  }

  push(chunk: Uint8Array): boolean {
    this.#inspection.push(chunk);
    if (this.#inspection.isSound) this.#bytes.push(chunk);
    return this.#inspection.isSound;
  }

  end(): boolean {
    this.#inspection.end();
    return this.#inspection.isSound;
  }

  fact(end: ResponseEnd): ResponseFact {
    const { content, errors } = this.#inspection;
    const id = this.#rule.schema ?? '';
    const verdict = content !== 'ok' ? 'not_checked' : errors.length > 0 ? 'invalid' : 'valid';
    const listed = content === 'ok' ? errors.slice(0, 4) : [{ pointer: '', rule: content }];
    const isOver = end === 'complete' || verdict === 'invalid' || content !== 'ok';
    return {
      ...this.#bytes.fact(end),
      form: this.#rule.form,
      items: this.#inspection.count,
      schema: { id, verdict: isOver ? verdict : 'not_checked', errors: listed },
    };
  }
}
