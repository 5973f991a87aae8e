// SPDX-License-Identifier: Apache-2.0
// The part of the Apache Thrift library that the stand-in's door uses; the package brings no types.
declare module 'thrift' {
  export type Transport = object;
  export const TBufferedTransport: {
    new (buffer: undefined, onFlush: (message: Buffer) => void): Transport;
    receiver(onTransport: (transport: Transport) => void, sequence: number): (data: Buffer) => void;
  };
  export const TBinaryProtocol: new (transport: Transport) => object;
}
