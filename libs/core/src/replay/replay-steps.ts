// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import type { ChangeRequested, Facts } from '../change/change-body.ts';
import type { DecidedLine, ObservedLine } from '../evidence/journal-line.ts';

/** One change that was allowed and done, as the lines bind it: who has the bytes of these digests has the input. */
export type ReplayStep = {
  readonly eventId: string;
  /** Of the request. */
  readonly leaf: number;
  readonly method: string;
  readonly targetDigest: Digest;
  readonly payloadDigest: Digest;
  /** Tenant time of the decision: what the clock says during the step. */
  readonly decidedAtMs: number;
  /** SQL texts in the body; none where the body itself is what is sent. */
  readonly statements: readonly { readonly pointer: string; readonly digest: Digest }[];
  /** What it was granted or seen to touch, as `schema.name`. */
  readonly relations: ReadonlySet<string>;
  /** The leaf by which it stands among all steps. */
  readonly order: number;
};

export type OtherWrite = { readonly leaf: number; readonly relations: readonly string[] };

type Allowed = {
  readonly step: Omit<ReplayStep, 'relations' | 'order'>;
  readonly runId: string | undefined;
  readonly relations: Set<string>;
  /** Where it stands among all steps: its transaction's leaf, or that of its outcome. */
  order: number | undefined;
};

/** Gathers from the lines of a bundle what a data replay has to repeat, in the order of the commits. */
export class ReplaySteps {
  readonly #allowed = new Map<string, Allowed>();
  readonly #transactions = new Map<number, readonly string[]>();
  readonly #others: OtherWrite[] = [];
  readonly #sourceId: string;
  readonly #dbtRunId: string | undefined;

  /** The changes of a dbt run are repeated by its nodes, and are no steps of their own. */
  constructor(sourceId: string, dbtRunId?: string) {
    this.#sourceId = sourceId;
    this.#dbtRunId = dbtRunId;
  }

  decided(leaf: number, { change, receipt }: DecidedLine): void {
    const { body } = change;
    if (body.kind === 'change.requested' && receipt.body.kind === 'decided' && receipt.body.decision === 'allow') {
      // A resent copy is answered as the first was, later; what was forwarded was the first.
      if (this.#allowed.has(body.event_id)) return;
      const { grants = [] } = receipt.body;
      const relations = grants.filter(({ source_id: id }) => id === this.#sourceId).flatMap((grant) => grant.relations);
      const step = stepOf(body, { leaf, decidedAtMs: receipt.body.decided_at });
      const runId = body.run_id;
      this.#allowed.set(body.event_id, { step, runId, relations: new Set(relations), order: undefined });
    }
    if (body.kind === 'change.outcome' && body.outcome === 'done' && receipt.body.kind === 'recorded') {
      this.#order(body.of, leaf);
    }
  }

  observed(leaf: number, { observation: { body } }: ObservedLine): void {
    if (body.kind !== 'transaction' || body.source_id !== this.#sourceId) return;
    this.#transactions.set(
      leaf,
      body.relations.map(({ schema, name }) => `${schema}.${name}`),
    );
  }

  /** A derived line: which change a transaction belongs to, or that it belongs to none. */
  matched(line: JsonObject): void {
    const leaf = line['leaf'] as number;
    const relations = this.#transactions.get(leaf);
    if (relations === undefined) return;
    const allowed = this.#allowed.get(textOf(line['event_id']));
    if (line['status'] !== 'matched' || allowed === undefined) {
      this.#others.push({ leaf, relations });
      return;
    }
    for (const relation of relations) allowed.relations.add(relation);
    allowed.order = leaf;
  }

  /** What came of a change may stand before or behind its transaction; the database's own order counts. */
  #order(eventId: string, leaf: number): void {
    const allowed = this.#allowed.get(eventId);
    if (allowed !== undefined) allowed.order ??= leaf;
  }

  get steps(): readonly ReplayStep[] {
    return [...this.#allowed.values()]
      .filter(({ runId }) => runId === undefined || runId !== this.#dbtRunId)
      .flatMap(({ step, relations, order }) => (order === undefined ? [] : [{ ...step, relations, order }]))
      .sort((left, right) => left.order - right.order);
  }

  /** Where the dbt run stands: at the last of its changes. undefined where it has none. */
  get dbtOrder(): number | undefined {
    const orders = [...this.#allowed.values()]
      .filter(({ runId }) => runId !== undefined && runId === this.#dbtRunId)
      .flatMap(({ order }) => (order === undefined ? [] : [order]));
    return orders.length === 0 ? undefined : orders.reduce((last, order) => Math.max(last, order));
  }

  /** Transactions that no step repeats. */
  get others(): readonly OtherWrite[] {
    return this.#others;
  }
}

function stepOf(
  { event_id: eventId, facts }: ChangeRequested,
  at: { leaf: number; decidedAtMs: number },
): Omit<ReplayStep, 'relations' | 'order'> {
  return {
    eventId,
    ...at,
    method: facts.method,
    targetDigest: facts.target_digest,
    payloadDigest: facts.payload_digest,
    statements: statementsOf(facts),
  };
}

/** Each text once, though several rules may have looked at it. */
function statementsOf({ sql = [] }: Facts): ReplayStep['statements'] {
  const texts = new Map(sql.map(({ pointer, statement_digest: digest }) => [pointer, { pointer, digest }]));
  return [...texts.values()];
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
