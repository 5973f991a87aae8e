// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import type { ChangeBody } from '../change/change-body.ts';
import { readInteger, readObject, readText, shapeError, TENANT, UUID } from '../change/shape.ts';
import type { DecidedBody, RecordedBody } from '../enforcement/receipt-body.ts';
import type { SignatureBlock } from '../signing/batch-signature.ts';
import { parseBlock } from '../signing/parse-block.ts';
import { type ObservationBody, readObservation } from './observation-body.ts';
import { readReceipt } from './read-receipt.ts';

/** A body inside a line: what it says, its very bytes, and who signed it. */
export type Signed<Body, Block = SignatureBlock> = {
  readonly body: Body;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly block: Block;
};

export type DecidedLine = {
  readonly kind: 'decided';
  /** The line without its LF: the leaf's data. */
  readonly bytes: Uint8Array;
  /** Milliseconds, of the change. */
  readonly appendTimeMs: number;
  readonly change: Signed<ChangeBody>;
  readonly receipt: Signed<DecidedBody | RecordedBody, SignatureBlock | null>;
};

export type ObservedLine = {
  readonly kind: 'observed';
  readonly bytes: Uint8Array;
  readonly appendTimeMs: number;
  readonly observation: Signed<ObservationBody>;
};

/** What clyra.journal carries. `matched` lines are derived at a cut and never sequenced. */
export type SourceLine = DecidedLine | ObservedLine;

/**
 * Reads a sequenced line (docs/spec/journal.md §1). Throws JsonError or CLY_RECORD_SHAPE. The bodies' bytes are the
 * canonical form of the embedded objects, which is what the line holds since it is canonical itself.
 */
export function parseSourceLine(bytes: Uint8Array): SourceLine {
  const line = parseRecord(bytes);
  if (line['v'] !== 0) throw shapeError('v is not 0');
  const appendTimeMs = readInteger(line, 'append_time');
  switch (line['kind']) {
    case 'decided': {
      onlyCount(line, 5);
      return { kind: 'decided', bytes, appendTimeMs, ...readPair(line) };
    }
    case 'observed': {
      onlyCount(line, 4);
      const part = readPart(line, 'observation');
      const observation = { ...part, body: readObservation(part.body), block: present(part.block) };
      return { kind: 'observed', bytes, appendTimeMs, observation };
    }
    default:
      throw shapeError('kind is not that of a sequenced line');
  }
}

function readPair(line: JsonObject): Pick<DecidedLine, 'change' | 'receipt'> {
  const change = readPart(line, 'change');
  const receipt = readPart(line, 'receipt');
  readText(change.body, 'tenant', TENANT);
  readText(change.body, 'event_id', UUID);
  const body = readReceipt(receipt.body);
  if (body.kind === 'poisoned') throw shapeError('poison stands in no journal');
  if ((receipt.block === null) !== (body.kind === 'recorded')) throw shapeError('recorded bodies alone are unsigned');
  return {
    change: { ...change, body: change.body as unknown as ChangeBody, block: present(change.block) },
    receipt: { ...receipt, body },
  };
}

type Part = Signed<JsonObject, SignatureBlock | null>;

function readPart(line: JsonObject, name: string): Part {
  const part = readObject(line, name);
  onlyCount(part, 2);
  const body = readObject(part, 'body');
  const bytes = Buffer.from(canonicalJson(body), 'utf8');
  const block = part['sig'] === null ? null : parseBlock(part['sig']);
  if (block === undefined) throw shapeError(`${name} has no readable signature block`);
  return { body, bytes, digest: digestOf(bytes), block };
}

function present(block: SignatureBlock | null): SignatureBlock {
  if (block === null) throw shapeError('a signature block is missing');
  return block;
}

function onlyCount(object: JsonObject, count: number): void {
  if (!isJsonObject(object) || Object.keys(object).length !== count) throw shapeError('a member is missing or unknown');
}
