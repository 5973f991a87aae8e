// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { ChangeBody, CommandChange } from '../change/change-body.ts';
import { chainAfter, chainGenesis, receiptIdOf, tenantGenesis } from '../change/links.ts';
import { assert } from '../kernel/assert.ts';
import { ClyraError } from '../kernel/error.ts';
import { BatchVerifier } from '../signing/batch-verifier.ts';
import { type Delegation, readDelegation, withDelegations } from '../signing/delegation.ts';
import { CHANGE_TYPE } from '../signing/pae.ts';
import type { TrustRoot } from '../signing/trust-root.ts';
import type { Artifacts } from './artifacts.ts';
import { type Place, placeMembers } from './body-members.ts';
import { commandSigners } from './command-signers.ts';
import type { CommandSigner } from './decide-input.ts';
import { accepted } from './draft.ts';
import { openingMeta } from './open-tenant.ts';
import { appendToPartitionLog, decidedMembers, NO_EVENT_ID, type PartitionLog } from './partition-log.ts';
import { type PartitionSnapshot, resumeOffset, type TenantMark } from './partition-snapshot.ts';
import { isPoison, type Poison, type ReadChange } from './read-change.ts';
import type { StateTable } from './state-table.ts';
import { type Answer, advanceTenant, answer, emptyTenant, type Tenant } from './tenant.ts';
import { putMeta, readMeta } from './tenant-meta.ts';

/** One record of clyra.changes as the fold takes it. */
export type FoldRecord = {
  readonly offset: number;
  readonly appendTimeMs: number;
  readonly read: ReadChange | Poison;
  /** The raw record value: what a poisoned body names. */
  readonly raw: Uint8Array;
  /** The partition's record before this one, for who folds the records of one tenant alone. */
  readonly previousOffset?: number;
};

export type Folded = {
  readonly offset: number;
  readonly tenant: string;
  readonly kind: string;
  readonly eventId: string;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  /** The partition chain after this body. */
  readonly chain: Digest;
  readonly signed: boolean;
  /** At a cut: the state digest that the body carries. */
  readonly stateDigest: Digest | undefined;
};

/** A snapshot with the states that its marks name, each checked against its digest. */
export type Resume = { readonly snapshot: PartitionSnapshot; readonly tables: ReadonlyMap<string, StateTable> };

export type FoldStart = {
  /** Where the fold goes on instead of at the start. */
  readonly resume?: Resume | undefined;
  /** One for all partitions of a process: a send that spans several of them is then verified once. */
  readonly verifier?: BatchVerifier;
};

type Mark = {
  /** Up to here a snapshot has the tenant's records. */
  readonly coveredTo: number;
  lastOffset: number;
  readonly cut: Omit<TenantMark, 'tenant' | 'covers'>;
};

/**
 * The fold of one partition of clyra.changes: exactly one body for each record. Two processes that fold the same
 * records make the same bytes; nothing but the records and the documents they name goes in.
 */
export class PartitionFold {
  readonly partition: number;
  readonly #artifacts: Artifacts;
  readonly #tenants = new Map<string, Tenant>();
  readonly #verifier: BatchVerifier;
  readonly #lentRoots = new Map<string, { readonly lent: string; readonly root: TrustRoot }>();
  #streamId: string | undefined;
  #log: PartitionLog = { nextSeq: 0, prev: '', time: 0 };
  #chain: Digest;
  #nextOffset = 0;
  #previousOffset = -1;
  /** Up to here the bodies are those of the snapshot: records are folded only for tenants that are behind it. */
  #resumedAt = -1;
  readonly #marks = new Map<string, Mark>();
  readonly #touched = new Set<Tenant>();

  constructor(partition: number, artifacts: Artifacts, start: FoldStart = {}) {
    const { resume, verifier = changeVerifier() } = start;
    this.partition = partition;
    this.#artifacts = artifacts;
    this.#verifier = verifier;
    this.#chain = chainGenesis(partition);
    if (resume !== undefined) this.#resume(resume);
  }

  #resume({ snapshot, tables }: Resume): void {
    this.#streamId = snapshot.stream_id;
    this.#chain = snapshot.chain;
    this.#log = { nextSeq: snapshot.log.next_seq, prev: snapshot.log.prev, time: snapshot.log.time };
    this.#resumedAt = snapshot.offset;
    this.#nextOffset = resumeOffset(snapshot);
    this.#previousOffset = this.#nextOffset - 1;
    for (const { tenant, covers, ...cut } of snapshot.tenants) {
      const table = tables.get(tenant);
      assert(table !== undefined, 'a snapshot comes with the state of each of its tenants');
      this.#tenants.set(tenant, { table, nextSeq: cut.next_seq, prev: cut.prev });
      this.#marks.set(tenant, { coveredTo: covers, lastOffset: cut.cut_offset, cut });
    }
  }

  /** The lowest offset not folded yet. Offsets between it and the next record do not exist in the log. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  get chain(): Digest {
    return this.#chain;
  }

  tenant(name: string): Tenant | undefined {
    return this.#tenants.get(name);
  }

  /** As of the last record, right after it was folded. Undefined before the stream is opened. */
  snapshot(): PartitionSnapshot | undefined {
    if (this.#streamId === undefined) return undefined;
    const tenants = [...this.#marks].map(([tenant, { lastOffset, cut }]) => ({
      tenant,
      covers: lastOffset === cut.cut_offset ? this.#previousOffset : cut.cut_offset,
      ...cut,
    }));
    return {
      v: 0,
      partition: this.partition,
      stream_id: this.#streamId,
      offset: this.#previousOffset,
      chain: this.#chain,
      log: { next_seq: this.#log.nextSeq, prev: this.#log.prev, time: this.#log.time },
      tenants,
    };
  }

  /** Undefined for a record that a snapshot covers: its body stands in the log already. */
  fold(record: FoldRecord): Folded | undefined {
    assert(record.offset >= this.#nextOffset, 'records are folded in offset order');
    const covered = this.#isCovered(record);
    const made = covered ? undefined : this.#answer(record);
    this.#previousOffset = record.offset;
    this.#nextOffset = record.offset + 1;
    if (made === undefined) return undefined;
    this.#mark(record.offset, made);
    if (record.offset <= this.#resumedAt) return undefined;
    const digest = digestOf(made.bytes);
    this.#chain = chainAfter(this.#chain, digest);
    const stateDigest = made.body['state_digest'] as Digest | undefined;
    return {
      offset: record.offset,
      tenant: made.body['tenant'] as string,
      kind: made.body['kind'] as string,
      eventId: made.body['event_id'] as string,
      bytes: made.bytes,
      digest,
      chain: this.#chain,
      signed: made.signed,
      stateDigest,
    };
  }

  /** Prepares the next cuts: hashes at most so many entries of the states that changed. No body depends on it. */
  refresh(entryCountMax: number): void {
    const share = Math.ceil(entryCountMax / this.#touched.size);
    for (const tenant of this.#touched) if (tenant.table.refresh(share)) this.#touched.delete(tenant);
  }

  #isCovered({ offset, read }: FoldRecord): boolean {
    if (offset > this.#resumedAt) return false;
    const mark = isPoison(read) ? undefined : this.#marks.get(read.body.tenant);
    return mark === undefined || offset <= mark.coveredTo;
  }

  #mark(offset: number, { body }: Answer): void {
    const name = body['tenant'] as string;
    const tenant = this.#tenants.get(name);
    if (tenant === undefined) return;
    const stateDigest = body['state_digest'] as Digest | undefined;
    const mark = this.#marks.get(name);
    if (stateDigest !== undefined) {
      const cut = { cut_offset: offset, state_digest: stateDigest, next_seq: tenant.nextSeq, prev: tenant.prev };
      this.#marks.set(name, { coveredTo: mark?.coveredTo ?? -1, lastOffset: offset, cut });
    } else if (mark !== undefined) {
      mark.lastOffset = offset;
    }
  }

  #answer(record: FoldRecord): Answer {
    if (isPoison(record.read)) return this.#poison(record, record.read.reason);
    const change = record.read.body;
    if (change.kind === 'stream.opened') return this.#streamOpened(record, change);
    const tenant = this.#tenants.get(change.tenant);
    if (tenant !== undefined) return this.#advance(record, tenant, record.read);
    if (change.kind === 'tenant.opened') return this.#openTenant(record, change as CommandChange, record.read);
    return this.#stranger(record, change, 'CLY_TENANT_UNKNOWN');
  }

  #place(record: FoldRecord): Place {
    if (this.#streamId === undefined) {
      throw new ClyraError('CLY_STREAM_NOT_OPENED', 'the partition does not begin with stream.opened', {
        retry: 'never',
        context: { partition: this.partition, offset: record.offset },
      });
    }
    return {
      streamId: this.#streamId,
      partition: this.partition,
      offset: record.offset,
      previousOffset: record.previousOffset ?? this.#previousOffset,
    };
  }

  #streamOpened(record: FoldRecord, change: ChangeBody & { kind: 'stream.opened' }): Answer {
    if (this.#streamId !== undefined) return this.#stranger(record, change, 'CLY_STREAM_EXISTS');
    if (record.offset !== 0 || change.partition !== this.partition) this.#place(record);
    this.#streamId = change.stream_id;
    this.#log = { nextSeq: 0, prev: tenantGenesis(change.stream_id, '_partition'), time: 0 };
    return this.#partitionDecided(record, change, 'allow');
  }

  #stranger(record: FoldRecord, change: ChangeBody, code: string): Answer {
    return this.#partitionDecided(record, change, { block: code });
  }

  #partitionDecided(record: FoldRecord, change: ChangeBody, decision: 'allow' | { readonly block: string }): Answer {
    const place = this.#place(record);
    const changeDigest = isPoison(record.read) ? digestOf(record.raw) : record.read.bodyDigest;
    const receiptId = receiptIdOf(place);
    const members = { ...placeMembers({ change, changeDigest, place, receiptId }), ...decidedMembers(decision) };
    return appendToPartitionLog(this.#log, { members, appendTimeMs: record.appendTimeMs });
  }

  #poison(record: FoldRecord, reason: string): Answer {
    const place = this.#place(record);
    const digest = digestOf(record.raw);
    const members = {
      kind: 'poisoned',
      change_kind: 'unknown',
      receipt_id: receiptIdOf(place),
      event_id: NO_EVENT_ID,
      stream_id: place.streamId,
      partition: place.partition,
      offset: place.offset,
      previous_offset: place.previousOffset,
      change_digest: digest,
      reason,
      record_digest: digest,
      record_size: record.raw.length,
    };
    return appendToPartitionLog(this.#log, { members, appendTimeMs: record.appendTimeMs });
  }

  #advance(record: FoldRecord, tenant: Tenant, read: ReadChange): Answer {
    this.#touched.add(tenant);
    const meta = readMeta(tenant.table);
    const root = this.#trustRoot(meta.trust_root);
    const place = this.#place(record);
    return advanceTenant(tenant, {
      change: read.body,
      changeDigest: read.bodyDigest,
      place,
      receiptId: receiptIdOf(place),
      appendTimeMs: record.appendTimeMs,
      signatureValid: this.#intakeSigned(this.#lentRoot(root, read.body.tenant, tenant), read, record.appendTimeMs),
      signers: signersOf(root, read.body, record.appendTimeMs),
      delegation: delegationOf(root, read.body, record.appendTimeMs),
      policy: meta.policy === null ? null : this.#policy(meta.policy),
      isPolicy: this.#isPolicy,
    });
  }

  #openTenant(record: FoldRecord, change: CommandChange, read: ReadChange): Answer {
    const named = change.command['trust_root'];
    const root = typeof named === 'string' ? this.#artifacts.trustRoot(named) : undefined;
    if (root === undefined) return this.#stranger(record, change, 'CLY_COMMAND_MALFORMED');
    const meta = openingMeta({
      change,
      partition: this.partition,
      nowMs: record.appendTimeMs,
      signatureValid: this.#intakeSigned(root, read, record.appendTimeMs),
      signers: signersOf(root, change, record.appendTimeMs),
    });
    if (typeof meta === 'string') return this.#stranger(record, change, meta);
    if (meta.policy !== null && !this.#isPolicy(meta.policy))
      return this.#stranger(record, change, 'CLY_POLICY_INVALID');
    const place = this.#place(record);
    const tenant = emptyTenant(tenantGenesis(place.streamId, change.tenant));
    tenant.table.apply([
      putMeta(meta),
      { op: 'put', key: `intake/${change.intake.instance}`, value: { epoch: change.intake.epoch } },
    ]);
    this.#tenants.set(change.tenant, tenant);
    const input = {
      change,
      changeDigest: read.bodyDigest,
      place,
      receiptId: receiptIdOf(place),
      appendTimeMs: record.appendTimeMs,
      signatureValid: true,
      signers: [],
      policy: null,
      isPolicy: this.#isPolicy,
    };
    return answer(tenant, input, { draft: { ...accepted([]), cut: true }, decidedAt: meta.time });
  }

  #intakeSigned(root: TrustRoot, read: ReadChange, atMs: number): boolean {
    return this.#verifier.verify(root, { digest: read.bodyDigest, block: read.block, atMs });
  }

  /** The trust root with what the tenant's state lends. Keys are imported once for each set of delegations. */
  #lentRoot(root: TrustRoot, name: string, { table }: Tenant): TrustRoot {
    if (table.count('delegation') === 0) return root;
    const entries = [...table.entries('delegation')];
    const lent = `${root.digest} ${entries.map(([key]) => key).join(' ')}`;
    const known = this.#lentRoots.get(name);
    if (known?.lent === lent) return known.root;
    const delegations = entries.map(([, value]) => value as unknown as Delegation);
    const made = withDelegations(root, delegations);
    this.#lentRoots.set(name, { lent, root: made });
    return made;
  }

  #trustRoot(digest: Digest): TrustRoot {
    const root = this.#artifacts.trustRoot(digest);
    assert(root !== undefined, 'the shell loads a trust root before the record that names it');
    return root;
  }

  readonly #isPolicy = (digest: Digest): boolean => this.#artifacts.policy(digest) !== undefined;

  #policy(digest: Digest): NonNullable<ReturnType<Artifacts['policy']>> {
    const policy = this.#artifacts.policy(digest);
    assert(policy !== undefined, 'the shell loads a policy before the record that names it');
    return policy;
  }
}

/** Checks the signature blocks of changes. */
export function changeVerifier(): BatchVerifier {
  return new BatchVerifier(CHANGE_TYPE, 'intake');
}

function signersOf(root: TrustRoot, change: ChangeBody, atMs: number): readonly CommandSigner[] {
  return 'command' in change ? commandSigners(root, change, atMs) : [];
}

function delegationOf(root: TrustRoot, change: ChangeBody, atMs: number): Delegation | undefined {
  return change.kind === 'key.delegated' ? readDelegation(root, change, atMs) : undefined;
}
