// SPDX-License-Identifier: Apache-2.0
import { thrift as hive } from '@databricks/sql';
import type { Cell, Column } from '../databricks/thrift-door.ts';
import { type Message, readMessage } from './thrift-messages.ts';

/** What Spark's server said to one statement. */
export type WireAnswer = {
  readonly statement: string;
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
  readonly sqlState: string | null;
};

type Writable = { -readonly [Member in keyof WireAnswer]: WireAnswer[Member] };
type Handle = { readonly operationId: { readonly guid: Buffer } };
type Carriers = Readonly<Record<string, { readonly values: readonly unknown[]; readonly nulls: Buffer } | null>>;
type Body = {
  readonly statement?: string;
  readonly operationHandle?: Handle | null;
  readonly sqlState?: string | null;
  readonly status?: { readonly sqlState?: string | null };
  readonly schema?: { readonly columns: readonly ColumnDescription[] } | null;
  readonly results?: { readonly columns: readonly Carriers[] | null } | null;
};
type ColumnDescription = {
  readonly columnName: string;
  readonly typeDesc: { readonly types: readonly { readonly primitiveEntry: { readonly type: number } }[] };
};

const ANSWERS_MAX = 1_000;
const { TTypeId } = hive.TCLIService_types as unknown as { readonly TTypeId: Readonly<Record<string, number>> };

/** Reads along between the driver and Spark, and keeps each statement with its answer. */
export class AnswerBook {
  readonly #answers: Writable[] = [];
  readonly #byOperation = new Map<string, Writable>();

  get answers(): readonly WireAnswer[] {
    return this.#answers;
  }

  clear(): void {
    this.#answers.length = 0;
    this.#byOperation.clear();
  }

  readonly note = (callBytes: Buffer, replyBytes: Buffer): void => {
    const call = readMessage(callBytes);
    const reply = readMessage(replyBytes);
    if (call === undefined || reply === undefined || call.method !== reply.method) return;
    if (call.method === 'ExecuteStatement') this.#begun(bodyOf(call), bodyOf(reply));
    else this.#went(call.method, this.#byOperation.get(keyOf(bodyOf(call).operationHandle)), bodyOf(reply));
  };

  #begun({ statement = '' }: Body, { operationHandle, status }: Body): void {
    if (this.#answers.length >= ANSWERS_MAX) throw new Error(`more than ${ANSWERS_MAX} statements are not kept`);
    const answer = { statement, columns: [], rows: [], sqlState: status?.sqlState ?? null };
    this.#answers.push(answer);
    this.#byOperation.set(keyOf(operationHandle), answer);
  }

  #went(method: string, answer: Writable | undefined, reply: Body): void {
    if (answer === undefined) return;
    if (method === 'GetOperationStatus') answer.sqlState = reply.sqlState ?? null;
    if (method === 'GetResultSetMetadata') answer.columns = (reply.schema?.columns ?? []).map(columnOf);
    if (method === 'FetchResults') answer.rows = [...answer.rows, ...rowsOf(reply.results?.columns ?? [])];
  }
}

function bodyOf(message: Message): Body {
  return message.body as unknown as Body;
}

function keyOf(handle: Handle | null | undefined): string {
  return handle == null ? '' : Buffer.from(handle.operationId.guid).toString('hex');
}

function columnOf({ columnName, typeDesc }: ColumnDescription): Column {
  const type = typeDesc.types[0]?.primitiveEntry.type;
  const name = Object.entries(TTypeId).find(([, number]) => number === type)?.[0];
  if (name === undefined) throw new Error(`${columnName} is of no type that the driver knows: ${type}`);
  return { name: columnName, type: name.replace(/_TYPE$/, '') };
}

function rowsOf(columns: readonly Carriers[]): Cell[][] {
  const cells = columns.map(cellsOf);
  return (cells[0] ?? []).map((_, row) => cells.map((column) => column[row] ?? null));
}

function cellsOf(column: Carriers): Cell[] {
  const filled = Object.values(column).find((carrier) => carrier != null);
  if (filled === undefined) throw new Error('a column carries nothing');
  return filled.values.map((value, row) => {
    const isNull = ((filled.nulls[row >> 3] ?? 0) & (1 << (row & 7))) !== 0;
    if (isNull) return null;
    return typeof value === 'object' ? Number(value) : (value as Cell);
  });
}
