// SPDX-License-Identifier: Apache-2.0
import { thrift as hive } from '@databricks/sql';
import { describe, expect, it } from '@jest/globals';
import { toDriver, toSpark } from './as-databricks.ts';
import { type Message, readMessage, writeMessage } from './thrift-messages.ts';

type Metadata = {
  readonly resultFormat: number;
  readonly schema: { readonly columns: readonly { readonly columnName: string; readonly position: number }[] };
};

const types = hive.TCLIService_types as unknown as Record<string, new (members: object) => Message['body']>;

function made(name: string, members: object): Message['body'] {
  const Type = types[name];
  if (Type === undefined) throw new Error(`the driver has no ${name}`);
  return new Type(members);
}

const metadata = (positions: readonly number[], resultFormat?: number): Buffer => {
  const entry = made('TTypeEntry', { primitiveEntry: made('TPrimitiveTypeEntry', { type: 4 }) });
  const columns = positions.map((position) =>
    made('TColumnDesc', { columnName: `c${position}`, position, typeDesc: made('TTypeDesc', { types: [entry] }) }),
  );
  const schema = made('TTableSchema', { columns });
  const body = made('TGetResultSetMetadataResp', { status: made('TStatus', { statusCode: 0 }), schema, resultFormat });
  return writeMessage({ method: 'GetResultSetMetadata', kind: 'reply', sequence: 3, body });
};

describe('between the driver and Spark', () => {
  it('a session is opened in a version that Spark knows, its configuration named as Spark reads it', () => {
    const body = made('TOpenSessionReq', { client_protocol: -7, configuration: { 'spark.a': 'b' } });
    const passed = readMessage(toSpark(writeMessage({ method: 'OpenSession', kind: 'call', sequence: 7, body })));
    expect(passed).toMatchObject({
      ...{ method: 'OpenSession', kind: 'call', sequence: 7 },
      body: { client_protocol: 9, configuration: { 'set:hiveconf:spark.a': 'b' } },
    });
  });

  it('a result is in columns, which are counted from 1 if they were from 0', () => {
    const positionsOf = (bytes: Buffer) => {
      const passed = readMessage(toDriver(bytes));
      if (passed === undefined) throw new Error('no message came out');
      const { resultFormat, schema } = passed.body as unknown as Metadata;
      return [resultFormat, schema.columns.map(({ columnName, position }) => `${columnName} ${position}`)];
    };
    expect(positionsOf(metadata([0, 1, 2]))).toEqual([1, ['c0 1', 'c1 2', 'c2 3']]);
    expect(positionsOf(metadata([1, 2], 0))).toEqual([0, ['c1 1', 'c2 2']]);
  });

  it('everything else passes as it is, byte for byte', () => {
    const body = made('TExecuteStatementReq', {
      sessionHandle: made('TSessionHandle', {
        sessionId: made('THandleIdentifier', { guid: Buffer.alloc(16, 1), secret: Buffer.alloc(16, 2) }),
      }),
      statement: 'SELECT 1 -- OpenSession GetResultSetMetadata',
    });
    const call = writeMessage({ method: 'ExecuteStatement', kind: 'call', sequence: 1, body });
    expect(toSpark(call)).toBe(call);
    expect(toDriver(call)).toBe(call);
    // One that is cut short passes as nothing at all.
    expect(() => toDriver(metadata([0, 1]).subarray(0, 40))).toThrow();
  });
});
