// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { DIGEST, digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { EXTERNAL_FACTS_MAX, type ExternalFact } from '@clyra/core/change/detector-fact';
import { valueAt } from '@clyra/core/inspection/json-pointer';
import { appliesTo, type Policy } from '@clyra/core/policy/policy';
import type { ExternalDetectorRule } from '@clyra/core/policy/policy-rules';
import type { Clock } from '@clyra/core/ports/clock';
import { Breaker } from './breaker.ts';
import { type Outcome, outage } from './detector-answer.ts';

/** Asks one detector; resolves whatever happens, at the latest when the deadline has passed. */
export type DetectorClient = {
  ask(body: string, deadlineMs: number): Promise<Outcome>;
};

/** A detector client by the name that policies know it by. `requestDigest` is of the bytes that are sent. */
export type DetectorClients = ReadonlyMap<string, (requestDigest: string) => DetectorClient>;

export type Question = {
  readonly policy: Policy;
  readonly routeId: string;
  readonly payloadDigest: string;
  readonly value: JsonValue | undefined;
  /** No detector may take longer, whatever its rule says. */
  readonly deadlineMs: number;
};

/** Questions to one detector that may wait at the same time. */
export const ASKED_MAX = 64;

type Line = { readonly breaker: Breaker; asked: number };

/**
 * Asks the detectors that a policy names for a route, all at the same time, with hashes only. What one of them does, or
 * fails to do, is in its own fact and nowhere else.
 */
export class ExternalDetectors {
  readonly #clients: DetectorClients;
  readonly #clock: Clock;
  readonly #lines = new Map<string, Line>();

  constructor(clients: DetectorClients, clock: Clock) {
    this.#clients = clients;
    this.#clock = clock;
  }

  /** Never rejects; one fact for each rule of the route. */
  ask(question: Question): Promise<ExternalFact[]> {
    const rules = question.policy.external_detectors.filter((rule) => appliesTo(rule, question.routeId));
    return Promise.all(rules.slice(0, EXTERNAL_FACTS_MAX).map((rule) => this.#askOne(rule, question)));
  }

  async #askOne(rule: ExternalDetectorRule, question: Question): Promise<ExternalFact> {
    const startedMs = this.#clock.nowMs();
    const body = canonicalJson(requestOf(rule, question));
    const requestDigest = digestOf(body);
    const client = this.#clients.get(rule.endpoint)?.(requestDigest);
    const outcome = await this.#outcomeOf(rule, question, { client, body });
    const durationMs = Math.max(0, Math.round(this.#clock.nowMs() - startedMs));
    return { id: rule.id, ...outcome, request_digest: requestDigest, duration_ms: durationMs };
  }

  async #outcomeOf(
    rule: ExternalDetectorRule,
    question: Question,
    { client, body }: { readonly client: DetectorClient | undefined; readonly body: string },
  ): Promise<Outcome> {
    if (client === undefined) return outage('not_configured');
    // Where nobody may wait nobody is asked, which says nothing about the detector.
    return question.deadlineMs <= 0 ? outage('timeout') : this.#inLine(rule, question, { client, body });
  }

  async #inLine(
    rule: ExternalDetectorRule,
    question: Question,
    { client, body }: { readonly client: DetectorClient; readonly body: string },
  ): Promise<Outcome> {
    const line = this.#lines.get(rule.endpoint) ?? { breaker: new Breaker(), asked: 0 };
    this.#lines.set(rule.endpoint, line);
    if (line.asked >= ASKED_MAX) return outage('busy');
    if (!line.breaker.allows(this.#clock.nowMs())) return outage('breaker_open');
    line.asked += 1;
    try {
      const outcome = await client.ask(body, Math.min(rule.deadline_ms, question.deadlineMs));
      line.breaker.note(outcome.outcome !== 'outage', this.#clock.nowMs());
      return outcome;
    } finally {
      line.asked -= 1;
    }
  }
}

/** Digests and names only. What stands at a media pointer is a digest already, or becomes one here. */
function requestOf(rule: ExternalDetectorRule, { routeId, payloadDigest, value }: Question): JsonObject {
  const media = rule.media.flatMap((pointer) => {
    const found = valueAt(value, pointer);
    if (found === undefined) return [];
    const digest = typeof found === 'string' && DIGEST.test(found) ? found : digestOf(canonicalJson(found));
    return [{ pointer, digest }];
  });
  return {
    format: 'clyra/detector-request/v0',
    detector: rule.id,
    route: routeId,
    payload_digest: payloadDigest,
    media,
  };
}
