// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { isJsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { BODY_LIMITS, parseJson } from '@clyra/core/canonical/parse-json';
import type { ChangeBody, Facts } from '@clyra/core/change/change-body';
import { payloadHash } from '@clyra/core/enforcement/approvals/pending-approval';
import { ClyraError } from '@clyra/core/kernel/error';
import type { HeldChange, HeldIndex } from './held-index.ts';
import type { HeldShelf } from './held-shelf.ts';

/** One value of a JSON payload, by its pointer. */
export type PayloadRow = { readonly pointer: string; readonly value: string };

export type ShownPayload =
  | { readonly kind: 'empty' }
  | {
      readonly kind: 'text';
      readonly contentType: string;
      readonly size: number;
      readonly text: string;
      /** The values of a JSON document, or null where there are too many for a table or it is none. */
      readonly rows: readonly PayloadRow[] | null;
    };

/** Everything that a person needs to see before they approve, checked against what the log binds the approval to. */
export type ChangeView = {
  readonly held: HeldChange;
  readonly facts: Facts;
  readonly target: string;
  readonly payload: ShownPayload;
};

export type ViewParts = {
  readonly index: HeldIndex;
  readonly shelf: HeldShelf;
  readonly lookup: { at(partition: number, offset: number): Promise<ChangeBody | undefined> };
  readonly clock: { nowMs(): number };
};

export const DISPLAY_BYTES_MAX = 262_144;
const ROWS_MAX = 400;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Rejects with CLY_APPROVAL_UNKNOWN where nothing waits under this id, and with CLY_HUMAN_NOT_SHOWN where the request
 * cannot be shown whole: nobody approves here what they cannot see.
 */
export async function viewOf(parts: ViewParts, tenant: string, of: string): Promise<ChangeView> {
  const { held, facts } = await factsOf(parts, tenant, of);
  const kept = await parts.shelf.get(tenant, of);
  if (kept === undefined) {
    throw notShown('the request was not kept: set body_storage.keep to while_held in the policy, and send it again');
  }
  const isSame = digestOf(kept.target) === facts.target_digest && digestOf(kept.body) === facts.payload_digest;
  if (!isSame || kept.method !== facts.method || payloadHash(facts) !== held.payloadHash) {
    throw notShown('what was kept is not what the log says was held: look for who changed it');
  }
  return { held, facts, target: kept.target, payload: shown(kept.body, kept.contentType) };
}

/** What an approval of this change is bound to. */
export async function factsOf(
  { index, lookup, clock }: Omit<ViewParts, 'shelf'>,
  tenant: string,
  of: string,
): Promise<{ readonly held: HeldChange; readonly facts: Facts }> {
  const held = index.get(tenant, of, clock.nowMs());
  const change = held === undefined ? undefined : await lookup.at(held.partition, held.offset);
  if (held === undefined || change?.kind !== 'change.requested' || change.event_id !== of || change.tenant !== tenant) {
    throw new ClyraError('CLY_APPROVAL_UNKNOWN', 'nothing waits for approval under this id any more', {
      retry: 'never',
    });
  }
  return { held, facts: change.facts };
}

function shown(body: Uint8Array, contentType: string): ShownPayload {
  if (body.length === 0) return { kind: 'empty' };
  if (body.length > DISPLAY_BYTES_MAX) {
    throw notShown(
      `the payload has ${body.length} bytes, more than the ${DISPLAY_BYTES_MAX} that a person can look through`,
    );
  }
  const text = textOf(body);
  if (text === undefined) throw notShown('the payload is no text');
  return { kind: 'text', contentType, size: body.length, text, rows: rowsOf(body) };
}

function textOf(body: Uint8Array): string | undefined {
  try {
    return utf8.decode(body);
  } catch {
    return undefined;
  }
}

function rowsOf(body: Uint8Array): readonly PayloadRow[] | null {
  let value: JsonValue;
  try {
    value = parseJson(body, BODY_LIMITS);
  } catch {
    return null;
  }
  const rows: PayloadRow[] = [];
  collect(value, '', rows);
  return rows.length > ROWS_MAX ? null : rows;
}

function collect(value: JsonValue, pointer: string, rows: PayloadRow[]): void {
  if (rows.length > ROWS_MAX) return;
  const children = Array.isArray(value) ? [...value.entries()] : isJsonObject(value) ? Object.entries(value) : [];
  for (const [name, child] of children) {
    collect(child as JsonValue, `${pointer}/${String(name).replaceAll('~', '~0').replaceAll('/', '~1')}`, rows);
  }
  if (children.length === 0) rows.push({ pointer, value: typeof value === 'string' ? value : JSON.stringify(value) });
}

function notShown(why: string): ClyraError {
  return new ClyraError('CLY_HUMAN_NOT_SHOWN', `this change cannot be approved here: ${why}`, { retry: 'never' });
}
