// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { encodeRecord } from '@clyra/core/canonical/record';
import type { IntakeRef } from '@clyra/core/change/change-body';
import type { Clock } from '@clyra/core/ports/clock';
import type { Random } from '@clyra/core/ports/random';
import { mintEventId } from './event-id.ts';

/** A change body as bytes, ready to be signed and sent. */
export type OutgoingChange = {
  readonly partition: number;
  readonly tenant: string;
  readonly kind: string;
  readonly eventId: string;
  readonly body: Uint8Array;
  readonly digest: Digest;
};

export type ChangePlan = {
  readonly partition: number;
  readonly tenant: string;
  readonly kind: string;
  /** The members of the kind (docs/spec/records.md §4), without the common ones. */
  readonly members: JsonObject;
  /** Absent: a new one. */
  readonly eventId?: string;
};

/** Writes the common members of a change: who writes it, when, and its new id. */
export class ChangeWriter {
  readonly intake: IntakeRef;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(intake: IntakeRef, parts: { readonly clock: Clock; readonly random: Random }) {
    this.intake = intake;
    this.#clock = parts.clock;
    this.#random = parts.random;
  }

  /** Throws JsonError (CLY_JSON_SIZE) for a record over 65,535 bytes. */
  write({
    partition,
    tenant,
    kind,
    members,
    eventId = mintEventId(this.#clock.nowMs(), this.#random),
  }: ChangePlan): OutgoingChange {
    const nowMs = this.#clock.nowMs();
    const { instance, epoch } = this.intake;
    const common = { v: 0, kind, tenant, event_id: eventId, intake: { instance, epoch }, intake_at: nowMs };
    const body = encodeRecord({ ...members, ...common });
    return { partition, tenant, kind, eventId, body, digest: digestOf(body) };
  }
}
