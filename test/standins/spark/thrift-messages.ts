// SPDX-License-Identifier: Apache-2.0
import { thrift as hive } from '@databricks/sql';
import { TBinaryProtocol, TBufferedTransport } from 'thrift';

/** Of the Thrift library's protocol, as much as reads and writes one message. */
type Protocol = {
  readMessageBegin(): { readonly fname: string; readonly mtype: number; readonly rseqid: number };
  readStructBegin(): unknown;
  readFieldBegin(): { readonly ftype: number; readonly fid: number };
  writeMessageBegin(name: string, type: number, sequence: number): void;
  writeStructBegin(name: string): void;
  writeFieldBegin(name: string, type: number, id: number): void;
  writeFieldEnd(): void;
  writeFieldStop(): void;
  writeStructEnd(): void;
  writeMessageEnd(): void;
  flush(): void;
};
type Struct = { read(protocol: Protocol): void; write(protocol: Protocol): void };

/** One call or its reply, with the driver's own type of what it carries. */
export type Message = {
  readonly method: string;
  readonly kind: 'call' | 'reply';
  readonly sequence: number;
  readonly body: Struct;
};

const CALL = 1;
const REPLY = 2;
const STRUCT = 12;
const types = hive.TCLIService_types as unknown as Record<string, (new () => Struct) | undefined>;

/** undefined for what carries no body: an exception of the server, or a method that the driver does not have. */
export function readMessage(bytes: Buffer): Message | undefined {
  let message: Message | undefined;
  TBufferedTransport.receiver((transport) => {
    const protocol = new TBinaryProtocol(transport) as unknown as Protocol;
    const { fname: method, mtype, rseqid: sequence } = protocol.readMessageBegin();
    if (mtype !== CALL && mtype !== REPLY) return;
    const kind = mtype === CALL ? 'call' : 'reply';
    const Type = types[`T${method}${kind === 'call' ? 'Req' : 'Resp'}`];
    protocol.readStructBegin();
    if (Type === undefined || protocol.readFieldBegin().ftype !== STRUCT) return;
    const body = new Type();
    body.read(protocol);
    message = { method, kind, sequence, body };
  }, 0)(bytes);
  return message;
}

export function writeMessage({ method, kind, sequence, body }: Message): Buffer {
  let written: Buffer | undefined;
  const transport = new TBufferedTransport(undefined, (bytes) => {
    written = bytes;
  });
  const protocol = new TBinaryProtocol(transport) as unknown as Protocol;
  protocol.writeMessageBegin(method, kind === 'call' ? CALL : REPLY, sequence);
  protocol.writeStructBegin(method);
  // The one argument of each method has number 1, its result 0.
  protocol.writeFieldBegin(kind, STRUCT, kind === 'call' ? 1 : 0);
  body.write(protocol);
  protocol.writeFieldEnd();
  protocol.writeFieldStop();
  protocol.writeStructEnd();
  protocol.writeMessageEnd();
  (transport as unknown as { flush(): void }).flush();
  if (written === undefined) throw new Error('the Thrift library wrote nothing');
  return written;
}
