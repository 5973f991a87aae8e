// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { FrameSplitter } from './kafka-frames.ts';
import { LossyProxy } from './lossy-proxy.ts';
import { SeededRandom } from './seeded-random.ts';

const PRODUCE = 0;
const METADATA = 3;

function frame(...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = Buffer.alloc(4);
  length.writeInt32BE(body.length);
  return Buffer.concat([length, body]);
}

function request(apiKey: number, correlationId: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeInt16BE(apiKey, 0);
  head.writeInt32BE(correlationId, 4);
  return frame(head, Buffer.from('whatever the client says'));
}

/** Answers each request with its correlation id. */
class EchoBroker {
  requestCount = 0;
  readonly #server = net.createServer((socket) => {
    const splitter = new FrameSplitter();
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      for (const one of splitter.push(chunk)) {
        this.requestCount += 1;
        socket.write(frame(one.subarray(8, 12), Buffer.from('answer')));
      }
    });
  });

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as net.AddressInfo).port;
  }

  close(): void {
    this.#server.close();
  }
}

class Client {
  readonly answers: number[] = [];
  closed = false;
  readonly #socket: net.Socket;

  constructor(port: number) {
    this.#socket = net.connect(port, '127.0.0.1');
    const splitter = new FrameSplitter();
    this.#socket.on('data', (chunk: Buffer) => {
      for (const one of splitter.push(chunk)) this.answers.push(one.readInt32BE(4));
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.closed = true;
    });
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 400 && !holds(); turn += 1) await pause(5);
  if (!holds()) throw new Error(`still not: ${what}`);
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}

describe('the lossy proxy', () => {
  let broker = new EchoBroker();
  let proxy: LossyProxy | undefined;
  let client: Client | undefined;

  async function start(seed = 1): Promise<{ proxy: LossyProxy; client: Client }> {
    broker = new EchoBroker();
    const port = await broker.listen();
    const started = await LossyProxy.start({
      listenPort: 0,
      target: { host: '127.0.0.1', port },
      random: new SeededRandom(seed),
    });
    proxy = started;
    client = new Client(started.port);
    return { proxy: started, client };
  }

  afterEach(async () => {
    client?.close();
    await proxy?.close();
    broker.close();
  });

  it('passes everything on while it has no fault, also frames that arrive byte by byte', async () => {
    const { proxy: passing, client: caller } = await start();
    for (const byte of request(PRODUCE, 7)) caller.send(Buffer.of(byte));
    caller.send(Buffer.concat([request(METADATA, 8), request(PRODUCE, 9)]));
    await until('three answers', () => caller.answers.length === 3);
    expect(caller.answers).toEqual([7, 8, 9]);
    expect(passing.counts).toEqual({ produceRequests: 2, lostResponses: 0, lostRequests: 0 });
  });

  it('loses produce responses only, and after the broker has seen the request', async () => {
    const { proxy: lossy, client: caller } = await start();
    lossy.setFaults({ lostResponseShare: 1 });
    caller.send(request(METADATA, 1));
    await until('the other answer', () => caller.answers.length === 1);
    caller.send(request(PRODUCE, 2));
    await until('the loss', () => lossy.counts.lostResponses === 1);
    await pause(30);
    expect(caller.answers).toEqual([1]);
    expect(broker.requestCount).toBe(2);
  });

  it('loses produce requests before the broker sees them, by a cut', async () => {
    const { proxy: lossy, client: caller } = await start();
    lossy.setFaults({ lostRequestShare: 1 });
    caller.send(request(PRODUCE, 1));
    await until('the cut', () => caller.closed);
    expect(broker.requestCount).toBe(0);
  });

  it('holds everything back while frozen, and passes it on afterwards', async () => {
    const { proxy: frozen, client: caller } = await start();
    caller.send(request(METADATA, 1));
    await until('the first answer', () => caller.answers.length === 1);
    frozen.freeze();
    caller.send(request(METADATA, 2));
    await pause(50);
    expect(caller.answers).toEqual([1]);
    frozen.thaw();
    await until('the held answer', () => caller.answers.length === 2);
  });

  it('cuts connections, and turns new ones away while it refuses', async () => {
    const { proxy: down, client: caller } = await start();
    down.refuse();
    await until('the cut', () => caller.closed);
    const turnedAway = new Client(down.port);
    await until('the refusal', () => turnedAway.closed);
    down.admit();
    const back = new Client(down.port);
    back.send(request(METADATA, 3));
    await until('an answer', () => back.answers.length === 1);
    back.close();
  });
});
