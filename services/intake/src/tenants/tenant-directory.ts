// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '@clyra/core/canonical/digest';
import type { CommandChange } from '@clyra/core/change/change-body';
import { commandSigners } from '@clyra/core/enforcement/command-signers';
import type { DecidedBody } from '@clyra/core/enforcement/receipt-body';
import { NO_POLICY, type PolicyInForce } from '@clyra/core/inspection/policy-in-force';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Logger } from '@clyra/core/ports/logger';
import { BatchVerifier } from '@clyra/core/signing/batch-verifier';
import { type Delegation, readDelegation, type SignedCommand, withDelegations } from '@clyra/core/signing/delegation';
import { RECEIPT_TYPE } from '@clyra/core/signing/pae';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import type { ReadReceipt } from '../log/read-receipt.ts';
import type { DocumentShelf } from './document-shelf.ts';

export type SwitchEngaged = { readonly scope: string; readonly sinceMs: number };

/** Which command put the policy in force: where it stands in the log, and whose signatures it bears. */
export type PolicyActivation = { readonly offset: number; readonly atMs: number; readonly signers: readonly string[] };

export type TenantState = {
  readonly tenant: string;
  readonly partition: number;
  /** With the keys that are lent to the tenant's processes. */
  readonly trustRoot: TrustRoot;
  readonly delegations: readonly Delegation[];
  readonly policy: PolicyInForce;
  /** null where the tenant has no policy. */
  readonly policySince: PolicyActivation | null;
  readonly engine: number;
  readonly switches: readonly SwitchEngaged[];
};

/** What of it outlives a process; documents by their digests. */
export type SavedTenant = {
  readonly tenant: string;
  readonly partition: number;
  readonly trust_root: Digest;
  readonly delegations: readonly Delegation[];
  readonly policy: Digest | null;
  readonly policySince: PolicyActivation | null;
  readonly engine: number;
  readonly switches: readonly { readonly scope: string; readonly sinceMs: number }[];
};

export type DirectoryParts = {
  readonly documents: DocumentShelf;
  readonly logger: Logger;
  /** The trust roots that a tenant may name; empty accepts any. */
  readonly trustRootDigests: ReadonlySet<Digest>;
};

/** What intake must know of each tenant, folded from allowed commands. A tenant stands here once it can be served. */
export class TenantDirectory {
  readonly #parts: DirectoryParts;
  readonly #tenants = new Map<string, TenantState>();
  readonly #verifier = new BatchVerifier(RECEIPT_TYPE, 'enforcer');
  readonly #listeners = new Set<() => void>();
  #partitionCount = 0;

  constructor(parts: DirectoryParts) {
    this.#parts = parts;
  }

  get(tenant: string): TenantState | undefined {
    return this.#tenants.get(tenant);
  }

  tenants(): Iterable<TenantState> {
    return this.#tenants.values();
  }

  /** Set once, when the log has said how many partitions clyra.changes has. */
  setPartitionCount(partitionCount: number): void {
    this.#partitionCount = partitionCount;
  }

  get partitionCount(): number {
    return this.#partitionCount;
  }

  hasPartition(partition: number): boolean {
    return partition >= 0 && partition < this.#partitionCount;
  }

  /** Throws CLY_TRUST_ROOT_NOT_PINNED for a root that this intake is not configured to accept. */
  requirePinned(trustRoot: Digest): void {
    const pinned = this.#parts.trustRootDigests;
    if (pinned.size === 0 || pinned.has(trustRoot)) return;
    throw new ClyraError(
      'CLY_TRUST_ROOT_NOT_PINNED',
      'add the digest of this trust root to the configuration of intake',
      {
        retry: 'never',
        context: { trust_root: trustRoot },
      },
    );
  }

  /** Called after each change of the directory; the returned function ends it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Of all tenants, or of those named. */
  saved(names?: ReadonlySet<string>): readonly SavedTenant[] {
    const saved: SavedTenant[] = [];
    for (const { trustRoot, policy, ...state } of this.#tenants.values()) {
      if (names !== undefined && !names.has(state.tenant)) continue;
      saved.push({ ...state, trust_root: trustRoot.digest, policy: policy.digest });
    }
    return saved;
  }

  /** As they were saved, all or none. Rejects where a document cannot be had. */
  async restore(saved: readonly SavedTenant[]): Promise<void> {
    const { documents } = this.#parts;
    const states = await Promise.all(
      saved.map(async ({ trust_root: root, policy, delegations, ...state }) => ({
        ...state,
        delegations,
        trustRoot: withDelegations(await documents.trustRoot(root), delegations),
        policy: policy === null ? NO_POLICY : await documents.policy(policy),
      })),
    );
    for (const state of states) this.#put(state);
  }

  /** True if an enforcer of the tenant's trust root signed this body. */
  isSigned(tenant: TenantState, receipt: ReadReceipt): boolean {
    return this.#isSignedUnder(tenant.trustRoot, receipt);
  }

  /** The engaged switch that stops this request, or undefined. */
  engagedSwitch(
    tenant: string,
    request: { readonly route: string | null; readonly actor: string },
  ): string | undefined {
    const scopes = ['tenant', `route:${request.route}`, `actor:${request.actor}`];
    return this.#tenants.get(tenant)?.switches.find((engaged) => scopes.includes(engaged.scope))?.scope;
  }

  /** Rejects while a document that the command names cannot be had; the caller repeats. */
  async apply(receipt: ReadReceipt, change: CommandChange): Promise<void> {
    const body = receipt.body as DecidedBody;
    if (change.kind === 'tenant.opened') return this.#open(receipt, change);
    const state = this.#tenants.get(body.tenant);
    if (state === undefined) return;
    if (!this.#isSignedUnder(state.trustRoot, receipt)) return this.#distrust(body);
    const next = await this.#advance(state, change, body);
    if (next !== undefined) this.#put(next);
  }

  async #open(receipt: ReadReceipt, change: CommandChange): Promise<void> {
    const { tenant, command } = change;
    const body = receipt.body as DecidedBody;
    const { trust_root: rootDigest, policy: policyDigest, engine } = command;
    if (typeof rootDigest !== 'string' || this.#tenants.has(tenant)) return;
    const pinned = this.#parts.trustRootDigests;
    if (pinned.size > 0 && !pinned.has(rootDigest)) return this.#distrust(body);
    const trustRoot = await this.#parts.documents.trustRoot(rootDigest);
    if (!this.#isSignedUnder(trustRoot, receipt)) return this.#distrust(body);
    const policy = typeof policyDigest === 'string' ? await this.#parts.documents.policy(policyDigest) : NO_POLICY;
    this.#put({
      tenant,
      partition: body.partition,
      trustRoot,
      delegations: [],
      policy,
      policySince: policy === NO_POLICY ? null : activation(trustRoot, change, body),
      engine: engine as number,
      switches: [],
    });
    this.#parts.logger.info('tenant served', { tenant, partition: body.partition, policy: policy.digest });
  }

  async #advance(state: TenantState, change: CommandChange, body: DecidedBody): Promise<TenantState | undefined> {
    const { kind, command, signatures } = change;
    const scope = command['scope'];
    switch (kind) {
      case 'policy.activated':
        return {
          ...state,
          policy: await this.#parts.documents.policy(command['policy'] as Digest),
          policySince: activation(state.trustRoot, change, body),
        };
      case 'engine.activated':
        return { ...state, engine: command['engine'] as number };
      case 'kill_switch.engaged':
        return { ...state, switches: [...state.switches, { scope: scope as string, sinceMs: body.decided_at }] };
      case 'kill_switch.lifted':
        return { ...state, switches: state.switches.filter((engaged) => engaged.scope !== scope) };
      case 'key.delegated':
        return this.#lend(state, { command, signatures }, body.decided_at);
      default:
        return undefined;
    }
  }

  /** Receipts of processes with a lent key count from here on. */
  #lend(state: TenantState, signed: SignedCommand, atMs: number): TenantState | undefined {
    const delegation = readDelegation(state.trustRoot, signed, atMs);
    if (delegation === undefined) return undefined;
    const delegations = [...state.delegations.filter((one) => one.valid_to >= atMs), delegation];
    return { ...state, delegations, trustRoot: withDelegations(state.trustRoot, delegations) };
  }

  #isSignedUnder(root: TrustRoot, { digest, block, appendTimeMs }: ReadReceipt): boolean {
    return block !== undefined && this.#verifier.verify(root, { digest, block, atMs: appendTimeMs });
  }

  #put(state: TenantState): void {
    this.#tenants.set(state.tenant, state);
    for (const listener of this.#listeners) listener();
  }

  #distrust(body: DecidedBody): void {
    const { tenant, partition, offset, change_kind: kind } = body;
    this.#parts.logger.error('a receipt is not signed by a trusted enforcer and changes nothing here', {
      tenant,
      partition,
      offset,
      kind,
    });
  }
}

function activation(
  root: TrustRoot,
  change: CommandChange,
  { offset, decided_at: atMs }: DecidedBody,
): PolicyActivation {
  return { offset, atMs, signers: commandSigners(root, change, atMs).map(({ subject }) => subject) };
}
