// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import { isObject, type JsonObject, type JsonValue } from '../json/json-value.ts';

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
  const receipt = line.receipt.read;
  const change = line.change.read;
  const command = commandOf(line);
  const position = `${log.streamId}\n${receipt.partition}\n${receipt.offset}`;
  const rules: readonly (readonly [string, () => boolean, string])[] = [
    [
      'receipt.body.change_digest',
      () => receipt.change_digest === line.changeDigest,
      'is not the digest of the change body of this line',
    ],
    ['receipt.body.event_id', () => receipt.event_id === change.event_id, 'is not the event of the change'],
    ['receipt.body.change_kind', () => receipt.change_kind === change.kind, 'is not the kind of the change'],
    ['receipt.body.stream_id', () => receipt.stream_id === log.streamId, 'is not the stream of the manifest'],
    ['receipt.body.partition', () => receipt.partition === log.partition, 'is not the partition of the cut'],
    [
      'receipt.body.receipt_id',
      () => receipt.receipt_id === sha256Hex(position).slice(0, 32),
      'does not follow from its position',
    ],
    [
      'change.body.command.kind',
      () => line.change.value.command === undefined || command?.kind === change.kind,
      'differs',
    ],
    ['receipt.body.inspected_under', () => isInspectionCarried(line), 'is not that of the facts'],
  ];
  const broken = rules.find(([, holds]) => !holds());
  if (broken !== undefined) {
    return { code: 'CLY_LINE_BINDING', member: broken[0], message: broken[2] };
  }
  return requireTenant(log.tenant, [
    ['change.body.tenant', change.tenant],
    ['receipt.body.tenant', receipt.tenant],
  ]);
}

export function checkObservedBindings(line: ObservedLine, log: LogIdentity): Mismatch | null {
  const { read } = line.observation;
  const expected = observationIdOf(line);
  if (expected !== null && expected !== read.observation_id) {
    const member = 'observation.body.observation_id';
    return { code: 'CLY_LINE_BINDING', member, message: 'does not follow from the body' };
  }
  return requireTenant(log.tenant, [['observation.body.tenant', read.tenant]]);
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

function requireTenant(tenant: string, found: readonly (readonly [string, string])[]): Mismatch | null {
  const other = found.find(([, name]) => name !== tenant);
  return other === undefined ? null : { code: 'CLY_LINE_TENANT', member: other[0], message: `must be ${tenant}` };
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
  return inspected !== undefined && encodeCanonical(stated) === encodeCanonical(inspected);
}

/** A member that is a digest; one of another form counts as absent (journal.md §1.1). */
export function digestIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? value : undefined;
}
