// SPDX-License-Identifier: Apache-2.0
import { sha256Hex } from '../hash/sha256.ts';
import type { DecidedLine, ObservedLine } from '../journal/line.ts';
import { encodeCanonical } from '../json/encode.ts';
import { isObject, type JsonObject } from '../json/json-value.ts';

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

/** Whether the receipt of a line answers the change beside it, in this tenant's log. */
export function checkDecidedBindings(line: DecidedLine, log: LogIdentity): Mismatch | null {
  const receipt = line.receipt.read;
  const change = line.change.read;
  if (receipt.change_digest !== line.change.digest) {
    return mismatch('receipt.body.change_digest', 'is not the digest of the change body of this line');
  }
  if (change.tenant !== log.tenant || receipt.tenant !== log.tenant) {
    const member = change.tenant === log.tenant ? 'receipt.body.tenant' : 'change.body.tenant';
    return { code: 'CLY_LINE_TENANT', member, message: `must be ${log.tenant}` };
  }
  const position = `${log.streamId}\n${receipt.partition}\n${receipt.offset}`;
  const rules: readonly (readonly [string, boolean, string])[] = [
    ['receipt.body.event_id', receipt.event_id === change.event_id, 'is not the event of the change'],
    ['receipt.body.change_kind', receipt.change_kind === change.kind, 'is not the kind of the change'],
    ['receipt.body.stream_id', receipt.stream_id === log.streamId, 'is not the stream of the manifest'],
    ['receipt.body.partition', receipt.partition === log.partition, 'is not the partition of the cut'],
    [
      'receipt.body.receipt_id',
      receipt.receipt_id === sha256Hex(position).slice(0, 32),
      'does not follow from its position',
    ],
    ['change.body.command.kind', commandKind(line) === undefined || commandKind(line) === change.kind, 'differs'],
    ['receipt.body.inspected_under', isInspectionCarried(line), 'is not that of the facts'],
  ];
  const broken = rules.find(([, holds]) => !holds);
  return broken === undefined ? null : mismatch(broken[0], broken[2]);
}

export function checkObservedBindings(line: ObservedLine, log: LogIdentity): Mismatch | null {
  return line.observation.read.tenant === log.tenant
    ? null
    : { code: 'CLY_LINE_TENANT', member: 'observation.body.tenant', message: `must be ${log.tenant}` };
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
  const command = line.change.value.command;
  return isObject(command) ? command : undefined;
}

function commandKind(line: DecidedLine): unknown {
  return commandOf(line)?.kind;
}

function isInspectionCarried(line: DecidedLine): boolean {
  const facts = line.change.value.facts;
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

function mismatch(member: string, message: string): Mismatch {
  return { code: 'CLY_LINE_BINDING', member, message };
}
