// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import type { CommandChange } from '../change/change-body.ts';
import type { GuardedSource } from '../policy/policy.ts';
import { GuardedSet, guardedRelations, guardedSources } from '../reconciliation/guarded-set.ts';
import { OpenGrants } from '../reconciliation/open-grants.ts';
import { PendingList } from '../reconciliation/pending-list.ts';
import { type Judged, reconcileCut } from '../reconciliation/reconcile-cut.ts';
import { ChainTracker } from './chain-tracker.ts';
import type { DecidedLine, ObservedLine } from './journal-line.ts';
import { ascending, type Ledger, type LedgerDelegation } from './ledger.ts';
import type { TransactionBody } from './observation-body.ts';
import { SourceBook } from './source-book.ts';

/** What there was no room for; counted, never silent. */
export type Overflow = { readonly unjudged: boolean; readonly forgotten: number };

const NO_OVERFLOW: Overflow = { unjudged: false, forgotten: 0 };

/** The ledger while it is being written: what the fold of a tenant's lines carries on, and nothing else. */
export class TenantBook {
  readonly chain: ChainTracker;
  readonly sources: SourceBook;
  readonly grants: OpenGrants;
  readonly #pending: PendingList;
  #delegations: readonly LedgerDelegation[];
  #policy: Digest | null;
  #trustRoot: Digest;
  #guarded: readonly GuardedSource[];
  #guardedSinceCut: GuardedSet;
  #lastDecidedMs: number;
  #lastOutcomeMs: number | null;

  constructor(at: { readonly tenant: string; readonly streamId: string; readonly trustRoot: Digest }, ledger?: Ledger) {
    const { tenant, streamId } = at;
    this.chain = ledger === undefined ? ChainTracker.atGenesis(tenant, streamId) : chainOf(at, ledger);
    this.sources = new SourceBook(ledger);
    this.grants = new OpenGrants(ledger?.grants);
    this.#pending = new PendingList(ledger?.pending);
    this.#delegations = ledger?.delegations ?? [];
    this.#policy = ledger?.head.policy ?? null;
    this.#trustRoot = ledger?.head.trust_root ?? at.trustRoot;
    this.#guarded = guardedSources(ledger?.guarded ?? []);
    this.#guardedSinceCut = new GuardedSet(this.#guarded);
    this.#lastDecidedMs = ledger?.head.last_decided_at ?? 0;
    this.#lastOutcomeMs = ledger?.head.last_outcome_at ?? null;
  }

  get policy(): Digest | null {
    return this.#policy;
  }

  get trustRoot(): Digest {
    return this.#trustRoot;
  }

  get guarded(): readonly GuardedSource[] {
    return this.#guarded;
  }

  get lastOutcomeMs(): number | null {
    return this.#lastOutcomeMs;
  }

  get pendingCount(): number {
    return this.#pending.list.length;
  }

  decided(line: DecidedLine): Overflow {
    const { change, receipt, appendTimeMs } = line;
    this.#lastDecidedMs = receipt.body.decided_at;
    if (change.body.kind === 'change.outcome') this.#lastOutcomeMs = appendTimeMs;
    if (receipt.body.kind !== 'decided' || receipt.body.decision !== 'allow') return NO_OVERFLOW;
    if (change.body.kind === 'source.registered') this.#register(change.body);
    if ((change.body.kind as string) === 'key.delegated') this.#delegate(change.body as CommandChange, appendTimeMs);
    return change.body.kind === 'change.requested' ? this.#grant(line) : NO_OVERFLOW;
  }

  activate(policy: Digest, guarded: readonly GuardedSource[]): void {
    this.#policy = policy;
    this.#guarded = guarded;
    this.#guardedSinceCut.add(guarded);
  }

  trust(root: Digest): void {
    this.#trustRoot = root;
  }

  observed({ observation: { body }, appendTimeMs }: ObservedLine, leaf: number): Overflow {
    this.sources.observed(body);
    return body.kind === 'transaction' ? this.#pend(body, { leaf, appendTimeMs }) : NO_OVERFLOW;
  }

  /** Judges at a cut, in leaf order, what the log had by then. */
  reconcile(appendTimeMs: number): readonly Judged[] {
    const { byToken: grants } = this.grants;
    const watermarks = new Map(
      [...this.sources.sources].flatMap(([sourceId, { watermark }]) =>
        watermark === null ? [] : [[sourceId, { source_id: sourceId, ...watermark }] as const],
      ),
    );
    const result = reconcileCut({ pending: this.#pending.list, grants, watermarks, appendTimeMs });
    this.#pending.settle(result.pending);
    this.grants.settle(result.grants);
    this.#delegations = this.#delegations.filter((one) => validTo(one) >= appendTimeMs);
    this.#guardedSinceCut = new GuardedSet(this.#guarded);
    return result.judged;
  }

  ledger(): Ledger {
    const { chain, lastOffset, runs } = this.chain;
    return {
      head: {
        chain,
        policy: this.#policy,
        trust_root: this.#trustRoot,
        last_decided_at: this.#lastDecidedMs,
        last_offset: lastOffset,
        last_outcome_at: this.#lastOutcomeMs,
      },
      runs: ascending(runs).map(([runId, run]) => ({ run_id: runId, ...run })),
      guarded: guardedRelations(this.#guarded),
      ...this.sources.parts(),
      delegations: this.#delegations,
      grants: ascending(this.grants.byToken).map(([, grant]) => grant),
      pending: this.#pending.list,
    };
  }

  #register({ command }: CommandChange): void {
    const sourceId = command['source_id'];
    if (typeof sourceId === 'string') this.sources.register(sourceId);
  }

  #delegate({ command, signatures }: CommandChange, appendTimeMs: number): void {
    this.#delegations = [...this.#delegations, { append_time: appendTimeMs, command, signatures }];
  }

  #grant({ receipt: { body } }: DecidedLine): Overflow {
    const grants = body.kind === 'decided' ? (body.grants ?? []) : [];
    const kept = grants.filter((grant) =>
      this.grants.add({
        token_hash: grant.token_hash,
        event_id: body.event_id,
        receipt_id: body.receipt_id,
        source_id: grant.source_id,
        relations: grant.relations,
        operations: grant.operations,
        rows_max: grant.rows_max,
        not_before: body.decided_at,
        expires_at: grant.expires_at,
        used_by: null,
      }),
    );
    return { unjudged: false, forgotten: grants.length - kept.length };
  }

  #pend(body: TransactionBody, at: { readonly leaf: number; readonly appendTimeMs: number }): Overflow {
    const touched = this.#guardedSinceCut.touched(body.source_id, body.relations);
    if (touched.length === 0) return NO_OVERFLOW;
    const isKept = this.#pending.add({
      observation_id: body.observation_id,
      leaf: at.leaf,
      append_time: at.appendTimeMs,
      source_id: body.source_id,
      committed_at: body.committed_at,
      relations: touched.map(({ rows_digest: _, ...effect }) => effect),
      token_hashes: body.token_hashes,
    });
    return { unjudged: !isKept, forgotten: 0 };
  }
}

function chainOf({ tenant, streamId }: { tenant: string; streamId: string }, ledger: Ledger): ChainTracker {
  const runs = new Map(ledger.runs.map(({ run_id: runId, next_seq, head }) => [runId, { next_seq, head }]));
  const { chain, last_offset: lastOffset } = ledger.head;
  return new ChainTracker({ tenant, streamId, chain, runs, lastOffset });
}

function validTo({ command }: LedgerDelegation): number {
  const key = command['key'];
  const validToMs = isJsonObject(key) ? (key as JsonObject)['valid_to'] : undefined;
  return typeof validToMs === 'number' ? validToMs : 0;
}
