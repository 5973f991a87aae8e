// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '../json/json-value.ts';
import { RECORD } from '../json/parse.ts';
import { PlainReader, type Wanted } from '../json/plain-reader.ts';
import type { SignatureBlock } from '../signature/block.ts';
import { readPlainBlock } from '../signature/plain-block.ts';
import { readPlainTransaction } from './plain-transaction.ts';

const START = Buffer.from('{"append_time":');
const CHANGE = Buffer.from(',"change":{"body":');
const RECEIPT = Buffer.from('},"kind":"decided","receipt":{"body":');
const OBSERVATION = Buffer.from(',"kind":"observed","observation":{"body":');
const SIG = Buffer.from(',"sig":');
const NULL = Buffer.from('null');
const END = Buffer.from('},"v":0}');
const BODY_DEPTH = 3;

/** A body with its place in the line. */
export interface PlainBody {
  readonly value: JsonObject;
  readonly from: number;
  readonly to: number;
  readonly sig: SignatureBlock | null;
}

export type PlainLine =
  | { readonly kind: 'decided'; readonly appendTimeMs: number; readonly change: PlainBody; readonly receipt: PlainBody }
  | {
      readonly kind: 'observed';
      readonly appendTimeMs: number;
      readonly observation: PlainBody;
      /** Whether it surely is a transaction whose members have the form that the rules ask for. */
      readonly isTransaction: boolean;
    };

/** What a reader of lines will look at. */
export interface LineUse {
  /** Whether blocks of signatures are judged. */
  readonly signatures: boolean;
  /** Whether more is asked of bodies than what the rules read: disclosures may name any place. */
  readonly facts: boolean;
}

const NOTHING_MORE: ReadonlyMap<string, Wanted> = new Map();
const ALL: Wanted = { only: null, never: null, of: NOTHING_MORE };
/** What the rules read of facts (bundle.md §3.1, journal.md §3). */
const FEW_FACTS: Wanted = {
  only: new Set(['content', 'inspected_under', 'payload_size', 'schema']),
  never: null,
  of: NOTHING_MORE,
};
const CHANGE_MEMBERS: Wanted = { only: null, never: null, of: new Map([['facts', FEW_FACTS]]) };
/** Relations are carried as they stand, without their rows (journal.md §4). */
const RELATION_MEMBERS: Wanted = { only: null, never: 'rows_digest', of: NOTHING_MORE };
/** What the rules read of a transaction; an observation of another kind is read by the strict reader. */
const TRANSACTION_MEMBERS: Wanted = {
  only: new Set([
    ...['commit_end_lsn', 'committed_at', 'kind', 'observation_id', 'relations', 'source_id', 'system_id', 'tenant'],
    ...['timeline', 'token_hashes', 'v'],
  ]),
  never: null,
  of: new Map([['relations', RELATION_MEMBERS]]),
};

const reader = new PlainReader();

/** Takes a line apart whose envelope and blocks have the one form that they nearly always have; null for any other. */
export function readPlainLine(bytes: Buffer, use: LineUse): PlainLine | null {
  return bytes.length > RECORD.bytesMax ? null : reader.attempt(bytes, () => readEnvelope(use));
}

function readEnvelope(use: LineUse): PlainLine {
  reader.expect(START);
  const appendTimeMs = reader.count();
  if (reader.takes(CHANGE)) {
    const change = readBody(use, use.facts ? ALL : CHANGE_MEMBERS, false);
    reader.expect(RECEIPT);
    const receipt = readBody(use, ALL, true);
    reader.expect(END);
    return { kind: 'decided', appendTimeMs, change, receipt };
  }
  reader.expect(OBSERVATION);
  const from = reader.at;
  const transaction = use.facts ? null : readPlainTransaction(reader, BODY_DEPTH);
  const value = transaction ?? reader.object(BODY_DEPTH, use.facts ? ALL : TRANSACTION_MEMBERS);
  const observation = readSigned(value, { from, use, isOptional: false });
  reader.expect(END);
  return { kind: 'observed', appendTimeMs, observation, isTransaction: transaction !== null };
}

function readBody(use: LineUse, wanted: Wanted, isOptional: boolean): PlainBody {
  const from = reader.at;
  return readSigned(reader.object(BODY_DEPTH, wanted), { from, use, isOptional });
}

/** The block behind a body that was read. */
function readSigned(
  value: JsonObject,
  { from, use, isOptional }: { readonly from: number; readonly use: LineUse; readonly isOptional: boolean },
): PlainBody {
  const to = reader.at;
  reader.expect(SIG);
  const sig = isOptional && reader.takes(NULL) ? null : readPlainBlock(reader, use.signatures);
  return { value, from, to, sig };
}
