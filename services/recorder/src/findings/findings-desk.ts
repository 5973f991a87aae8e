// SPDX-License-Identifier: Apache-2.0
import type { GuardedRelations } from '@clyra/adapter-postgres/publication-preflight';
import type { Clock } from '@clyra/core/ports/clock';
import type { LedgerGrant } from '@clyra/core/reconciliation/ledger-entry';
import { type Finding, type LiveCounts, LiveFindings } from '@clyra/core/reconciliation/live-findings';
import type { SourceIdentity, TransactionDraft } from '../observation/observation-draft.ts';
import { UNLISTED_RELATION } from '../observation/transaction-body.ts';

/** Member names as in `GET /v1/findings`. */
export type TenantFindings = {
  readonly tenant: string;
  /** Every receipt that was in the log at the start is known: until then no token is judged. */
  readonly caught_up: boolean;
  readonly counts: LiveCounts;
  /** Newest first, of this process, at most 1,000. */
  readonly findings: readonly Finding[];
};

type TenantDesk = { readonly live: LiveFindings; isCaughtUp: boolean };

const SETTLE_MS = 500;

/** What the sources of each tenant did beside what was permitted, seconds after they did it. */
export class FindingsDesk {
  readonly #clock: Clock;
  readonly #guarded: ReadonlyMap<string, GuardedRelations>;
  readonly #tenants = new Map<string, TenantDesk>();
  #cancel = (): void => {};

  constructor(
    clock: Clock,
    sources: readonly { readonly identity: SourceIdentity; readonly guarded: GuardedRelations }[],
  ) {
    this.#clock = clock;
    this.#guarded = new Map(sources.map(({ identity, guarded }) => [keyOf(identity), guarded]));
    for (const { identity } of sources) {
      if (!this.#tenants.has(identity.tenant)) {
        this.#tenants.set(identity.tenant, { live: new LiveFindings(), isCaughtUp: false });
      }
    }
  }

  start(): void {
    this.#cancel = this.#clock.after(SETTLE_MS, () => {
      const nowMs = this.#clock.nowMs();
      for (const { live, isCaughtUp } of this.#tenants.values()) live.settle(nowMs, isCaughtUp);
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  grant(tenant: string, grant: LedgerGrant): void {
    this.#tenants.get(tenant)?.live.grant(grant, this.#clock.nowMs());
  }

  caughtUp(tenant: string): void {
    const desk = this.#tenants.get(tenant);
    if (desk !== undefined) desk.isCaughtUp = true;
  }

  /** A transaction that is in the log. */
  observed(draft: TransactionDraft): void {
    const desk = this.#tenants.get(draft.tenant);
    const guarded = this.#guarded.get(keyOf(draft));
    if (desk === undefined || guarded === undefined) return;
    const { committed_at, token_hashes } = draft.effect;
    const relations = draft.effect.relations.filter((relation) => touches(relation, guarded));
    const nowMs = this.#clock.nowMs();
    const observation = {
      observation_id: draft.observationId,
      source_id: draft.sourceId,
      committed_at,
      token_hashes,
      relations,
      leaf: 0,
      append_time: nowMs,
    };
    desk.live.observed(observation, nowMs, desk.isCaughtUp);
  }

  status(): readonly TenantFindings[] {
    return [...this.#tenants].map(([tenant, { live, isCaughtUp }]) => ({
      tenant,
      caught_up: isCaughtUp,
      counts: live.counts,
      findings: live.findings,
    }));
  }
}

/** What was not listed one by one may have been guarded. */
function touches(relation: { readonly schema: string; readonly name: string }, guarded: GuardedRelations): boolean {
  const { schema, name } = relation;
  if (schema === UNLISTED_RELATION.schema && name === UNLISTED_RELATION.name) return true;
  return (
    guarded.schemas.includes(schema) || guarded.tables.some((table) => table.schema === schema && table.name === name)
  );
}

function keyOf({ tenant, sourceId }: SourceIdentity): string {
  return `${tenant}\n${sourceId}`;
}
