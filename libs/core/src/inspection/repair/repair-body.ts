// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../../canonical/canonical-json.ts';
import { digestOf } from '../../canonical/digest.ts';
import { JsonError } from '../../canonical/json-error.ts';
import type { JsonValue } from '../../canonical/json-value.ts';
import { BODY_LIMITS, parseJson } from '../../canonical/parse-json.ts';
import type { RepairFact } from '../../change/inspection-facts.ts';
import type { Repair } from '../../policy/body-rules.ts';
import type { SchemaSet } from '../../policy/schema-set.ts';
import { valueAt } from '../json-pointer.ts';
import { type Coercion, coercionFor } from './coerce.ts';
import { locateValue } from './locate-value.ts';
import { mendSyntax } from './mend-syntax.ts';

export type PatchOperation = { readonly op: 'replace'; readonly path: string; readonly value: JsonValue };

export type Repaired = {
  readonly bytes: Uint8Array;
  readonly value: JsonValue;
  /** RFC 6902, from the received to the repaired value. It holds payload: it is in no record, only its digest is. */
  readonly patch: readonly PatchOperation[];
  readonly fact: RepairFact;
};

export type Broken = {
  readonly bytes: Uint8Array;
  /** undefined where the strict reader refused the bytes. */
  readonly value: JsonValue | undefined;
  readonly schemas: SchemaSet;
  readonly schemaId: string | null;
  readonly allowed: readonly Repair[];
};

const COERCIONS_MAX = 64;
const CHANGES_LISTED_MAX = 8;

/**
 * The one repair that a body may have: of its syntax, or of values that are of another type than the schema wants. The
 * result is read and checked again like any other body, and there is no second attempt. A pure function of body and
 * policy: whoever has both finds the same patch. undefined where it does not help.
 */
export function repairBody(broken: Broken): Repaired | undefined {
  return broken.value === undefined ? repairSyntax(broken) : repairValues(broken, broken.value);
}

function repairSyntax({ bytes, schemas, schemaId, allowed }: Broken): Repaired | undefined {
  if (!allowed.includes('syntax')) return undefined;
  const mended = mendSyntax(bytes);
  const value = mended === undefined ? undefined : read(mended);
  if (mended === undefined || value === undefined) return undefined;
  if (schemaId !== null && schemas.check(schemaId, value, false).length > 0) return undefined;
  // Bytes that were no JSON have no value to be patched: the patch puts the whole in their place.
  const patch: PatchOperation[] = [{ op: 'replace', path: '', value }];
  return made({ bytes: mended, value, patch, kind: 'syntax', changes: [{ path: '', repair: 'syntax' }] });
}

function repairValues({ bytes, schemas, schemaId, allowed }: Broken, value: JsonValue): Repaired | undefined {
  if (schemaId === null) return undefined;
  const faults = schemas.faults(schemaId, value);
  // What an enum or a const speaks of is a name for something: nobody guesses which.
  const named = new Set(
    faults.filter(({ keyword }) => keyword === 'enum' || keyword === 'const').map(({ path }) => path),
  );
  const coercions = new Map<string, Coercion>();
  for (const fault of faults) {
    const current = valueAt(value, fault.path);
    if (current === undefined || named.has(fault.path) || coercions.has(fault.path)) continue;
    const coercion = coercionFor(fault, current, allowed);
    if (coercion !== undefined) coercions.set(fault.path, coercion);
  }
  if (coercions.size === 0 || coercions.size > COERCIONS_MAX) return undefined;
  const ordered = [...coercions.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const mended = spliced(Buffer.from(bytes).toString('utf8'), ordered);
  const repaired = read(mended);
  if (repaired === undefined || schemas.check(schemaId, repaired, false).length > 0) return undefined;
  return made({
    bytes: mended,
    value: repaired,
    patch: ordered.map(({ path, value: to }) => ({ op: 'replace', path, value: to })),
    kind: 'coercion',
    changes: ordered.map(({ path, repair }) => ({ path: schemas.safePath(schemaId, path), repair })),
  });
}

/** The text with other values in those places; every other byte stays, so that no number is written anew. */
function spliced(text: string, coercions: readonly Coercion[]): Uint8Array {
  const edits = coercions.map(({ path, value }) => {
    const steps = path
      .split('/')
      .slice(1)
      .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
    return { ...locateValue(text, steps), value };
  });
  edits.sort((a, b) => b.start - a.start);
  let mended = text;
  for (const { start, end, value } of edits) {
    const written = Array.isArray(value) ? `[${mended.slice(start, end)}]` : canonicalJson(value);
    mended = mended.slice(0, start) + written + mended.slice(end);
  }
  return Buffer.from(mended, 'utf8');
}

function read(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(bytes, BODY_LIMITS);
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}

type Parts = Pick<Repaired, 'bytes' | 'value' | 'patch'> & Pick<RepairFact, 'kind' | 'changes'>;

function made({ bytes, value, patch, kind, changes }: Parts): Repaired {
  const fact: RepairFact = {
    kind,
    changes: changes.slice(0, CHANGES_LISTED_MAX),
    count: changes.length,
    patch_digest: digestOf(canonicalJson(patch as unknown as JsonValue)),
    repaired_digest: digestOf(bytes),
    repaired_size: bytes.length,
  };
  return { bytes, value, patch, fact };
}
