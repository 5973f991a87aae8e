// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';
import { sameJson } from '../json/same-json.ts';

export interface LogIdentity {
  readonly tenant: string;
  readonly streamId: string;
  readonly partition: number;
}

/** A rule of one line that does not hold: the member, and what it should be. */
export interface Mismatch {
  readonly code: 'CLY_LINE_BINDING' | 'CLY_LINE_TENANT';
  readonly member: string;
  readonly message: string;
}

/** Whether the receipt of a line answers the change beside it, in this tenant's log (journal.md §3). */
export function checkDecidedBindings(line: DecidedLine, log: LogIdentity): Mismatch | null {
  const broken = brokenBinding(line, log);
  if (broken !== null) {
    return { code: 'CLY_LINE_BINDING', member: broken[0], message: broken[1] };
  }
  return (
    requireTenant(log.tenant, 'change.body.tenant', line.change.read.tenant) ??
    requireTenant(log.tenant, 'receipt.body.tenant', line.receipt.read.tenant)
  );
}

/** The first member that is not bound, and what is wrong with it. */
function brokenBinding(line: DecidedLine, log: LogIdentity): readonly [member: string, message: string] | null {
  const receipt = line.receipt.read;
  const change = line.change.read;
  if (receipt.change_digest !== line.changeDigest) {
    return ['receipt.body.change_digest', 'is not the digest of the change body of this line'];
  }
  if (receipt.event_id !== change.event_id) {
    return ['receipt.body.event_id', 'is not the event of the change'];
  }
  if (receipt.change_kind !== change.kind) {
    return ['receipt.body.change_kind', 'is not the kind of the change'];
  }
  if (receipt.stream_id !== log.streamId) {
    return ['receipt.body.stream_id', 'is not the stream of the manifest'];
  }
  if (receipt.partition !== log.partition) {
    return ['receipt.body.partition', 'is not the partition of the cut'];
  }
  if (receipt.receipt_id !== halfDigest(`${log.streamId}\n${receipt.partition}\n${receipt.offset}`)) {
    return ['receipt.body.receipt_id', 'does not follow from its position'];
  }
  if (line.change.value.command !== undefined && commandOf(line)?.kind !== change.kind) {
    return ['change.body.command.kind', 'differs'];
  }
  return isInspectionCarried(line) ? null : ['receipt.body.inspected_under', 'is not that of the facts'];
}

export function checkObservedBindings(line: ObservedLine, log: LogIdentity): Mismatch | null {
  const { read } = line.observation;
  const expected = observationIdOf(line);
  if (expected !== null && expected !== read.observation_id) {
    const member = 'observation.body.observation_id';
    return { code: 'CLY_LINE_BINDING', member, message: 'does not follow from the body' };
  }
  return requireTenant(log.tenant, 'observation.body.tenant', read.tenant);
}

/** The id that a body must have (records.md §6), or null where it does not name all that its id is made of. */
function observationIdOf({ observed, observation }: ObservedLine): string | null {
  switch (observed?.of) {
    case 'transaction': {
      const { system_id: system, timeline, commit_end_lsn: lsn } = observed.body;
      return halfDigest(`${system}\n${timeline}\n${lsn}\n0`);
    }
    case 'watermark': {
      const { system_id: system, timeline, lsn, covers_until: until } = observed.body;
      return halfDigest(`${system}\n${timeline}\n${lsn}\n${until}`);
    }
    case 'coverage':
    case 'outage':
    case 'accessed':
    case 'document': {
      const { observation_id: _, ...rest } = observation.value;
      return halfDigest(encodeCanonical(rest));
    }
    default:
      return null;
  }
}

function halfDigest(text: string): string {
  return sha256Hex(text).slice(0, 32);
}

function requireTenant(tenant: string, member: string, found: string): Mismatch | null {
  return found === tenant ? null : { code: 'CLY_LINE_TENANT', member, message: `must be ${tenant}` };
}

/**
 * Whether the receipt says that the change's own signature did not hold, and that it had no effect: anybody who can
 * write to the log can put such a change there, and the log keeps it with its refusal.
 */
export function isRefusedForgery(line: DecidedLine): boolean {
  if (line.decision === null) {
    return line.receipt.value.effect === 'ignored';
  }
  const { reasons } = line.receipt.value;
  return (
    line.decision.decision === 'block' &&
    Array.isArray(reasons) &&
    reasons.some((reason) => isObject(reason) && reason.code === 'CLY_CHANGE_SIGNATURE')
  );
}

/** The command a change carries, if it carries one. */
export function commandOf(line: DecidedLine): JsonObject | undefined {
  const { command } = line.change.value;
  return isObject(command) ? command : undefined;
}

/** The command of an allowed line of that kind, which is what the receipt says it is. */
export function allowedCommand(line: DecidedLine, ...kinds: readonly string[]): JsonObject | undefined {
  const isAllowed = line.decision?.decision === 'allow' && kinds.includes(line.receipt.read.change_kind);
  return isAllowed ? commandOf(line) : undefined;
}

function isInspectionCarried(line: DecidedLine): boolean {
  const { facts } = line.change.value;
  const stated = line.receipt.value.inspected_under;
  if (line.decision === null || !isObject(facts)) {
    return true;
  }
  if (stated === undefined) {
    return line.decision.decision === 'block';
  }
  const inspected = facts.inspected_under;
  return inspected !== undefined && sameJson(stated, inspected);
}

/** A member that is a digest; one of another form counts as absent (journal.md §1.1). */
export function digestIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined;
}
