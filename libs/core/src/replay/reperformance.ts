// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { parseRecord } from '../canonical/record.ts';
import type { ChangeBody } from '../change/change-body.ts';
import { chainGenesis } from '../change/links.ts';
import { parseChange } from '../change/parse-change.ts';
import { type ArtifactNeed, type Artifacts, artifactNeeds } from '../enforcement/artifacts.ts';
import { PartitionFold, type Resume } from '../enforcement/partition-fold.ts';
import type { DecidedBody, RecordedBody } from '../enforcement/receipt-body.ts';
import type { StateTable } from '../enforcement/state-table.ts';
import { readMeta } from '../enforcement/tenant-meta.ts';
import type { DecidedLine } from '../evidence/journal-line.ts';
import { ClyraError } from '../kernel/error.ts';
import { EMPTY_POLICY } from '../policy/policy.ts';
import { firstDifference } from './first-difference.ts';

/** Where a tenant's fold begins: at its opening, or with the state and the ledger that the cut before committed to. */
export type ReperformanceStart = {
  readonly tenant: string;
  readonly streamId: string;
  readonly partition: number;
  readonly opening: {
    readonly table: StateTable;
    readonly chain: { readonly next_seq: number; readonly head: Digest };
    readonly lastOffset: number;
  } | null;
};

export type Reperformed =
  | { readonly kind: 'equal'; readonly stateCompared: boolean }
  | { readonly kind: 'differs'; readonly member: string }
  /** The line follows only if this document is what its receipt says of it. */
  | { readonly kind: 'assumed'; readonly document: ArtifactNeed }
  /** Nothing from here on can be derived. */
  | { readonly kind: 'withheld'; readonly document: ArtifactNeed };

/**
 * Folds one tenant's journal again, with the very fold that the enforcer uses, and compares each body byte for byte.
 * Of the partition only the tenant's own records are here, so that a body's `previous_offset` is taken from it; every
 * other byte is derived.
 */
export class Reperformance {
  readonly #start: ReperformanceStart;
  readonly #artifacts: Artifacts;
  readonly #fold: PartitionFold;
  readonly #assumed = new Set<Digest>();
  #lastOffset: number;

  constructor(start: ReperformanceStart, artifacts: Artifacts) {
    this.#start = start;
    this.#artifacts = artifacts;
    this.#lastOffset = start.opening?.lastOffset ?? -1;
    const shelf: Artifacts = {
      policy: (digest) => artifacts.policy(digest) ?? (this.#assumed.has(digest) ? EMPTY_POLICY : undefined),
      trustRoot: (digest) => artifacts.trustRoot(digest),
    };
    this.#fold = new PartitionFold(start.partition, shelf, { resume: resumeAt(start) });
  }

  /** The state digest as of the last line; undefined before the tenant is opened. */
  stateDigest(): Digest | undefined {
    return this.#fold.tenant(this.#start.tenant)?.table.digest();
  }

  step(line: DecidedLine): Reperformed {
    const { body } = line.receipt;
    const change = changeOf(line);
    if (change === undefined) return { kind: 'differs', member: 'change' };
    if (body.offset <= this.#lastOffset || body.previous_offset >= body.offset) {
      return { kind: 'differs', member: 'receipt.body.offset' };
    }
    const assumed = this.#assume(change, body);
    const withheld = this.#withheld(change, assumed);
    if (withheld !== undefined) return { kind: 'withheld', document: withheld };
    this.#lastOffset = body.offset;
    const folded = this.#fold.fold({
      offset: body.offset,
      previousOffset: body.previous_offset,
      appendTimeMs: line.appendTimeMs,
      read: { body: change, bodyDigest: line.change.digest, block: line.change.block },
      raw: line.change.bytes,
    });
    if (folded?.digest !== line.receipt.digest) {
      const member =
        folded === undefined ? '' : firstDifference(parseRecord(folded.bytes), parseRecord(line.receipt.bytes));
      return { kind: 'differs', member: `receipt.body.${member}` };
    }
    if (assumed !== undefined) return { kind: 'assumed', document: assumed };
    return { kind: 'equal', stateCompared: folded.stateDigest !== undefined };
  }

  /** A policy that never came into force is no part of a bundle: whether it was one is taken from the refusal itself. */
  #assume(change: ChangeBody, body: DecidedBody | RecordedBody): ArtifactNeed | undefined {
    if (body.kind !== 'decided' || body.decision !== 'block') return undefined;
    const missing = artifactNeeds(change).find((need) => need.kind === 'policy' && !this.#has(need));
    if (missing === undefined) return undefined;
    if (body.reasons.some(({ code }) => code === 'CLY_POLICY_INVALID')) this.#assumed.delete(missing.digest);
    else this.#assumed.add(missing.digest);
    return missing;
  }

  /** The first document without which the fold cannot take this record. */
  #withheld(change: ChangeBody, assumed: ArtifactNeed | undefined): ArtifactNeed | undefined {
    const needs = artifactNeeds(change).filter(({ digest }) => digest !== assumed?.digest);
    const tenant = this.#fold.tenant(this.#start.tenant);
    if (tenant === undefined) return needs.find((need) => !this.#has(need));
    const { trust_root: root, policy } = readMeta(tenant.table);
    const inForce: ArtifactNeed[] = [{ kind: 'trust_root', digest: root }];
    if (policy !== null) inForce.push({ kind: 'policy', digest: policy });
    return [...inForce, ...needs.filter(({ kind }) => kind === 'policy')].find((need) => !this.#has(need));
  }

  #has({ kind, digest }: ArtifactNeed): boolean {
    return (kind === 'policy' ? this.#artifacts.policy(digest) : this.#artifacts.trustRoot(digest)) !== undefined;
  }
}

/** The fold goes on as from a snapshot: its partition is known, and of its tenants this one, or none yet. */
function resumeAt({ tenant, streamId, partition, opening }: ReperformanceStart): Resume {
  const offset = opening?.lastOffset ?? -1;
  const table = opening?.table;
  const mark = (stateDigest: Digest, chain: { next_seq: number; head: Digest }) => ({
    tenant,
    covers: offset,
    cut_offset: offset,
    state_digest: stateDigest,
    next_seq: chain.next_seq,
    prev: chain.head,
  });
  const tenants = opening === null || table === undefined ? [] : [mark(table.digest(), opening.chain)];
  // The partition's own chain has no body in a tenant's journal.
  const log = { next_seq: 0, prev: '', time: 0 };
  const snapshot = {
    v: 0,
    partition,
    stream_id: streamId,
    offset,
    chain: chainGenesis(partition),
    log,
    tenants,
  } as const;
  return { snapshot, tables: new Map(table === undefined ? [] : [[tenant, table]]) };
}

function changeOf(line: DecidedLine): ChangeBody | undefined {
  try {
    return parseChange(line.change.bytes);
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
