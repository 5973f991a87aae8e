// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { CommandChange } from '@clyra/core/change/change-body';
import type { DecidedBody, Reason, ReceiptBody } from '@clyra/core/enforcement/receipt-body';

/** An approval that was given for a held change, as its command says. */
export type GivenApproval = {
  readonly id: string;
  /** `domain|sub` at a provider, or the subject of the key that signed. */
  readonly approver: string;
  readonly proof: string;
  readonly givenAtMs: number;
  readonly expiresAtMs: number;
};

/** A change that waits for people: where it stands in the log, and what its receipt says. */
export type HeldChange = {
  readonly tenant: string;
  /** The first change that was held so; repetitions wait under its id. */
  readonly of: string;
  readonly partition: number;
  readonly offset: number;
  readonly heldAtMs: number;
  readonly expiresAtMs: number;
  readonly route: string;
  readonly actor: string;
  readonly payloadHash: string;
  readonly need: number;
  readonly gradeMin: number;
  readonly reasons: readonly Reason[];
  readonly approvals: readonly GivenApproval[];
};

/** Something done without the usual approvals; somebody else must look at it by then. */
export type Emergency = {
  readonly tenant: string;
  readonly approvalId: string;
  readonly of: string;
  readonly ticket: string;
  readonly by: string;
  readonly reviewByMs: number;
};

type UsedEmergency = Emergency & { readonly usedBy: string };

/** All of it, as a position keeps it. */
export type SavedHeld = {
  readonly held: readonly HeldChange[];
  readonly used: readonly { readonly by: string; readonly held: HeldChange }[];
  readonly emergencies: readonly UsedEmergency[];
};

const HELD_MAX = 100_000;
const USED_MAX = 10_000;

/** What waits for approval, and which emergencies nobody has looked at: folded from receipts, so any intake knows it. */
export class HeldIndex {
  readonly #held = new Map<string, HeldChange>();
  /** By the change that used the approvals up, until its outcome: if it was not forwarded, it waits again. */
  readonly #used = new Map<string, HeldChange>();
  readonly #emergencies = new Map<string, UsedEmergency>();
  readonly #onGone: (held: HeldChange) => void;

  /** `onGone`: told when a change waits no more and will not wait again. */
  constructor(onGone: (held: HeldChange) => void = () => {}) {
    this.#onGone = onGone;
  }

  saved(): SavedHeld {
    return {
      held: [...this.#held.values()],
      used: [...this.#used].map(([by, held]) => ({ by, held })),
      emergencies: [...this.#emergencies.values()],
    };
  }

  restore({ held, used, emergencies }: SavedHeld): void {
    for (const one of held) this.#held.set(keyOf(one.tenant, one.of), one);
    for (const one of used) this.#used.set(one.by, one.held);
    for (const one of emergencies) this.#emergencies.set(keyOf(one.tenant, one.approvalId), one);
  }

  /** Takes the first receipt of each position, in order. */
  note(receipt: ReceiptBody): void {
    if (receipt.kind === 'recorded') this.#settle(receipt.of, receipt.effect);
    if (receipt.kind !== 'decided' || receipt.change_kind !== 'change.requested') return;
    if (receipt.duplicate_of !== undefined || receipt.approval === undefined) return;
    if (receipt.decision === 'hold') this.#hold(receipt);
    if (receipt.decision === 'allow') this.#use(receipt);
  }

  /** Takes each command that was allowed, with its receipt. */
  noteCommand(receipt: DecidedBody, { kind, command }: Pick<CommandChange, 'kind' | 'command'>): void {
    const key = keyOf(receipt.tenant, String(command['of']));
    const held = this.#held.get(key);
    if (kind === 'emergency.reviewed') {
      this.#emergencies.delete(keyOf(receipt.tenant, String(command['approval_id'])));
    } else if (kind === 'approval.granted' && held !== undefined) {
      this.#held.set(key, { ...held, approvals: [...held.approvals, givenBy(receipt, command)] });
    } else if (kind === 'approval.revoked' && held !== undefined) {
      const approvals = held.approvals.filter(({ id }) => id !== command['approval_id']);
      this.#held.set(key, { ...held, approvals });
    }
  }

  get(tenant: string, of: string, nowMs: number): HeldChange | undefined {
    const held = this.#held.get(keyOf(tenant, of));
    return held === undefined || held.expiresAtMs <= nowMs ? undefined : held;
  }

  /** What waits for these tenants (all for `*`), the oldest first. */
  list(tenants: readonly string[], nowMs: number): readonly HeldChange[] {
    this.#forget(nowMs);
    return [...this.#held.values()].filter(({ tenant }) => tenants.includes('*') || tenants.includes(tenant));
  }

  /** What was done in an emergency and not looked at, the most urgent first. */
  emergencies(tenants: readonly string[]): readonly Emergency[] {
    return [...this.#emergencies.values()]
      .filter(({ tenant }) => tenants.includes('*') || tenants.includes(tenant))
      .map(({ usedBy: _usedBy, ...emergency }) => emergency)
      .sort((left, right) => left.reviewByMs - right.reviewByMs);
  }

  #hold(receipt: DecidedBody): void {
    const { tenant, approval, reasons } = receipt;
    const of = String(approval?.of);
    const known = this.#held.get(keyOf(tenant, of));
    // A repetition says again what is needed, under the policy that is in force by now.
    const need = approval?.need ?? 1;
    const gradeMin = approval?.grade_min ?? 0;
    if (known !== undefined) this.#held.set(keyOf(tenant, of), { ...known, need, gradeMin, reasons });
    if (known !== undefined || of !== receipt.event_id) return;
    if (this.#held.size >= HELD_MAX) this.#forget(receipt.decided_at);
    if (this.#held.size >= HELD_MAX) return;
    this.#held.set(keyOf(tenant, of), {
      tenant,
      of,
      partition: receipt.partition,
      offset: receipt.offset,
      heldAtMs: receipt.decided_at,
      expiresAtMs: approval?.expires_at ?? 0,
      route: receipt.route ?? '',
      actor: receipt.actor ?? '',
      payloadHash: approval?.payload_hash ?? '',
      need,
      gradeMin,
      reasons,
      approvals: [],
    });
  }

  #use(receipt: DecidedBody): void {
    const { tenant, approval, emergency, event_id: usedBy } = receipt;
    const of = String(approval?.of);
    const held = this.#held.get(keyOf(tenant, of));
    if (emergency !== undefined) {
      const { approval_id: approvalId, ticket, review_by: reviewByMs } = emergency;
      const by = receipt.approver_principal ?? '';
      this.#emergencies.set(keyOf(tenant, approvalId), { tenant, approvalId, of, ticket, by, reviewByMs, usedBy });
    }
    if (held === undefined) return;
    this.#held.delete(keyOf(tenant, of));
    this.#used.set(usedBy, held);
    if (this.#used.size > USED_MAX) this.#used.delete(this.#used.keys().next().value as string);
  }

  #settle(eventId: string | undefined, effect: string): void {
    if (eventId === undefined || effect === 'ignored') return;
    const held = this.#used.get(eventId);
    if (held === undefined) return;
    this.#used.delete(eventId);
    if (effect !== 'returned') {
      this.#onGone(held);
      return;
    }
    this.#held.set(keyOf(held.tenant, held.of), held);
    for (const [key, emergency] of this.#emergencies) if (emergency.usedBy === eventId) this.#emergencies.delete(key);
  }

  #forget(nowMs: number): void {
    for (const [key, held] of this.#held) {
      if (held.expiresAtMs > nowMs) continue;
      this.#held.delete(key);
      this.#onGone(held);
    }
  }
}

function givenBy(receipt: DecidedBody, command: JsonObject): GivenApproval {
  const { approval_id: id, proof, approver_sso_sub: sub, idp_domain: domain, subject, expires_at: expiresAt } = command;
  return {
    id: String(id),
    approver: proof === 'oidc' ? `${String(domain)}|${String(sub)}` : String(subject),
    proof: String(proof),
    givenAtMs: receipt.decided_at,
    expiresAtMs: Number(expiresAt),
  };
}

function keyOf(tenant: string, id: string): string {
  return `${tenant}\n${id}`;
}
