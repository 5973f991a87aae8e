// SPDX-License-Identifier: Apache-2.0
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { thrift as hive } from '@databricks/sql';
import { TBinaryProtocol, TBufferedTransport } from 'thrift';
import type { Certificate } from './self-signed.ts';

/** As it stands on the wire: times, maps, structures and arrays are texts. */
export type Cell = string | number | boolean | null;

/** `type` is the driver's own name without its ending: BIGINT, BOOLEAN, INT, STRING, TIMESTAMP, MAP. */
export type Column = { readonly name: string; readonly type: string };

export type Table = {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly Cell[])[];
};

export type Refusal = { readonly sqlState: string; readonly message: string };

/** What a warehouse does with one statement. */
export type Answer = (sql: string) => Table | Refusal;

export type DoorOptions = { readonly certificate: Certificate; readonly token: string; readonly port?: number };

type Callback = (error: null, result: unknown) => void;
type Request = { readonly statement?: string; readonly operationHandle?: Handle; readonly maxRows?: unknown };
type Handle = { readonly operationId: { readonly guid: Buffer } };

const types = hive.TCLIService_types as unknown as Record<string, new (members: object) => object>;
const { TTypeId } = hive.TCLIService_types as unknown as { readonly TTypeId: Readonly<Record<string, number>> };
const OK = { statusCode: 0 };
const ROWS_OF_A_FETCH = 100;
const FINISHED = 2;
const FAILED = 5;
/** By type, the member of a column that carries its values, that member's type, and what stands in a null's place. */
const CARRIERS: Readonly<Record<string, readonly [member: string, type: string, empty: Cell]>> = {
  BIGINT: ['i64Val', 'TI64Column', 0],
  INT: ['i32Val', 'TI32Column', 0],
  BOOLEAN: ['boolVal', 'TBoolColumn', false],
};
const AS_TEXT = ['stringVal', 'TStringColumn', ''] as const;

/**
 * Databricks' Thrift protocol over HTTPS, with the message types of the driver itself: sessions, statements, status,
 * results in columns and in several fetches, bearer tokens. What a statement means is the caller's.
 */
export class ThriftDoor {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #operations = new Map<string, { readonly answer: Table | Refusal; next: number }>();
  /** Each counts down by one: an answer that loses its last row, one that never comes, a connection that is cut. */
  readonly faults = { short: 0, silent: 0, cut: 0 };
  readonly statements: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(answer: Answer, { certificate, token, port = 0 }: DoorOptions): Promise<ThriftDoor> {
    const server = createServer({ key: certificate.key, cert: certificate.cert });
    const door = new ThriftDoor(server);
    const processor = new (
      hive.TCLIService as unknown as { Processor: new (handler: object) => { process(i: object, o: object): void } }
    ).Processor(door.#handler(answer));
    server.on('connection', (socket: Socket) => {
      door.#sockets.add(socket);
      socket.once('close', () => door.#sockets.delete(socket));
    });
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        if (request.headers.authorization !== `Bearer ${token}`) return response.writeHead(401).end();
        if (door.#due('cut')) return request.socket.destroy();
        if (door.#due('silent')) return undefined;
        return TBufferedTransport.receiver((transport) => {
          const output = new TBufferedTransport(undefined, (message) => {
            response.writeHead(200, { 'content-type': 'application/x-thrift' }).end(message);
          });
          processor.process(new TBinaryProtocol(transport), new TBinaryProtocol(output));
        }, 0)(Buffer.concat(parts));
      });
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return door;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #due(fault: 'short' | 'silent' | 'cut'): boolean {
    if (this.faults[fault] < 1) return false;
    this.faults[fault] -= 1;
    return true;
  }

  #handler(answer: Answer): object {
    const reply =
      (name: string, members: (request: Request) => object) =>
      (request: Request, callback: Callback): void =>
        callback(null, made(name, { status: made('TStatus', OK), ...members(request) }));
    return {
      OpenSession: reply('TOpenSessionResp', () => ({
        serverProtocolVersion: 0xa508,
        sessionHandle: made('TSessionHandle', { sessionId: identifier(), serverProtocolVersion: 0xa508 }),
      })),
      CloseSession: reply('TCloseSessionResp', () => ({})),
      GetInfo: reply('TGetInfoResp', () => ({ infoValue: made('TGetInfoValue', { stringValue: 'stand-in' }) })),
      ExecuteStatement: reply('TExecuteStatementResp', ({ statement = '' }) => {
        this.statements.push(statement);
        const operationId = identifier();
        this.#operations.set(keyOf({ operationId } as Handle), { answer: answer(statement), next: 0 });
        return {
          operationHandle: made('TOperationHandle', { operationId, operationType: 0, hasResultSet: true }),
        };
      }),
      GetOperationStatus: reply('TGetOperationStatusResp', (request) => {
        const result = this.#operation(request).answer;
        return 'sqlState' in result
          ? { operationState: FAILED, sqlState: result.sqlState, errorMessage: result.message, hasResultSet: false }
          : { operationState: FINISHED, hasResultSet: true };
      }),
      GetResultSetMetadata: reply('TGetResultSetMetadataResp', (request) => ({
        schema: schemaOf(tableOf(this.#operation(request).answer)),
        resultFormat: 1,
      })),
      FetchResults: reply('TFetchResultsResp', (request) => this.#fetch(request)),
      CancelOperation: reply('TCancelOperationResp', () => ({})),
      CloseOperation: reply('TCloseOperationResp', (request) => {
        this.#operations.delete(keyOf(request.operationHandle as Handle));
        return {};
      }),
    };
  }

  #operation(request: Request): { readonly answer: Table | Refusal; next: number } {
    const operation = this.#operations.get(keyOf(request.operationHandle as Handle));
    if (operation === undefined) throw new Error('the driver asks for an operation that is not open');
    return operation;
  }

  #fetch(request: Request): object {
    const operation = this.#operation(request);
    const { columns, rows } = tableOf(operation.answer);
    const end = Math.min(rows.length, operation.next + ROWS_OF_A_FETCH);
    const isLast = end >= rows.length;
    const lost = isLast && end - operation.next > 0 && this.#due('short') ? 1 : 0;
    const part = rows.slice(operation.next, end - lost);
    operation.next = end;
    const values = columns.map(({ type }, index) =>
      columnOf(
        type,
        part.map((row) => row[index] ?? null),
      ),
    );
    return {
      hasMoreRows: !isLast,
      results: made('TRowSet', { startRowOffset: 0, rows: [], columns: values }),
    };
  }
}

function made(name: string, members: object): object {
  const Type = types[name];
  if (Type === undefined) throw new Error(`the driver has no ${name}`);
  return new Type(members);
}

function identifier(): object {
  const bytes = (): Buffer => Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  return made('THandleIdentifier', { guid: bytes(), secret: bytes() });
}

function keyOf(handle: Handle): string {
  return Buffer.from(handle.operationId.guid).toString('hex');
}

function tableOf(answer: Table | Refusal): Table {
  return 'sqlState' in answer ? { columns: [], rows: [] } : answer;
}

function schemaOf({ columns }: Table): object {
  return made('TTableSchema', {
    columns: columns.map(({ name: columnName, type: typeName }, index) => {
      const type = TTypeId[`${typeName}_TYPE`];
      if (type === undefined) throw new Error(`the driver has no type ${typeName}`);
      const entry = made('TTypeEntry', { primitiveEntry: made('TPrimitiveTypeEntry', { type }) });
      return made('TColumnDesc', {
        columnName,
        // The driver counts columns from 1; Spark's own server from 0.
        position: index + 1,
        typeDesc: made('TTypeDesc', { types: [entry] }),
      });
    }),
  });
}

/** A bit for each null, and a value in its place. */
function columnOf(type: string, values: readonly Cell[]): object {
  const nulls = Buffer.alloc(Math.ceil(values.length / 8));
  for (const [index, value] of values.entries()) {
    if (value === null) nulls[index >> 3] = (nulls[index >> 3] ?? 0) | (1 << (index & 7));
  }
  const [member, carrier, empty] = CARRIERS[type] ?? AS_TEXT;
  return made('TColumn', { [member]: made(carrier, { values: values.map((value) => value ?? empty), nulls }) });
}
