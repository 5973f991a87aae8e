// SPDX-License-Identifier: Apache-2.0
import net from 'node:net';
import { FrameSplitter, requestHead, responseCorrelationId } from './kafka-frames.ts';
import type { SeededRandom } from './seeded-random.ts';

export type LossyProxyFaults = {
  /** Share of produce responses that never arrive: half of them silently, half by a cut connection. */
  readonly lostResponseShare: number;
  /** Share of produce requests that never arrive, by a cut connection. */
  readonly lostRequestShare: number;
};

export type LossyProxyOptions = {
  /** The port the broker advertises for the listener behind this proxy; 0 takes any free one. */
  readonly listenPort: number;
  readonly target: { readonly host: string; readonly port: number };
  readonly random: SeededRandom;
};

export type LossyProxyCounts = { produceRequests: number; lostResponses: number; lostRequests: number };

const PRODUCE_API_KEY = 0;
const HOST = '127.0.0.1';

/**
 * A network that loses what it is told to lose, in front of one plain-text broker listener. It understands Kafka's
 * framing and rewrites nothing, so the broker must advertise the proxy's address for that listener: a client
 * goes where the metadata says.
 */
export class LossyProxy {
  readonly counts: LossyProxyCounts = { produceRequests: 0, lostResponses: 0, lostRequests: 0 };
  readonly #options: LossyProxyOptions;
  readonly #server: net.Server;
  readonly #links = new Set<Link>();
  #faults: LossyProxyFaults = { lostResponseShare: 0, lostRequestShare: 0 };
  #frozen = false;
  #refusing = false;

  private constructor(options: LossyProxyOptions) {
    this.#options = options;
    this.#server = net.createServer((client) => this.#accept(client));
  }

  static async start(options: LossyProxyOptions): Promise<LossyProxy> {
    const proxy = new LossyProxy(options);
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject);
      proxy.#server.listen(options.listenPort, HOST, resolve);
    });
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.listenPort;
  }

  setFaults(faults: Partial<LossyProxyFaults>): void {
    this.#faults = { ...this.#faults, ...faults };
  }

  /** Nothing passes in either direction, and nothing is closed: what a stopped broker looks like. */
  freeze(): void {
    this.#frozen = true;
    for (const link of this.#links) link.freeze();
  }

  /** What was held passes, also requests whose sender has given up. */
  thaw(): void {
    this.#frozen = false;
    for (const link of this.#links) link.thaw();
  }

  /** Cuts every connection once; clients may come back at once. */
  cutAll(): void {
    for (const link of [...this.#links]) link.cut();
  }

  /** What a broker that is down looks like: connections are cut, and new ones closed. */
  refuse(): void {
    this.#refusing = true;
    this.cutAll();
  }

  admit(): void {
    this.#refusing = false;
  }

  async close(): Promise<void> {
    this.refuse();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #accept(client: net.Socket): void {
    if (this.#refusing) {
      client.destroy();
      return;
    }
    const broker = net.connect(this.#options.target);
    const link = new Link(client, broker, {
      dropsRequest: (apiKey) => this.#dropsRequest(apiKey),
      dropsResponse: (apiKey) => this.#dropsResponse(apiKey),
      closed: () => this.#links.delete(link),
    });
    this.#links.add(link);
    if (this.#frozen) link.freeze();
  }

  #dropsRequest(apiKey: number): boolean {
    if (apiKey !== PRODUCE_API_KEY) return false;
    this.counts.produceRequests += 1;
    if (!this.#options.random.chance(this.#faults.lostRequestShare)) return false;
    this.counts.lostRequests += 1;
    return true;
  }

  #dropsResponse(apiKey: number): 'silently' | 'by a cut' | undefined {
    if (apiKey !== PRODUCE_API_KEY || !this.#options.random.chance(this.#faults.lostResponseShare)) return undefined;
    this.counts.lostResponses += 1;
    return this.#options.random.chance(0.5) ? 'silently' : 'by a cut';
  }
}

type LinkEvents = {
  readonly dropsRequest: (apiKey: number) => boolean;
  readonly dropsResponse: (apiKey: number) => 'silently' | 'by a cut' | undefined;
  readonly closed: () => void;
};

/** One client connection and the broker connection behind it. */
class Link {
  readonly #client: net.Socket;
  readonly #broker: net.Socket;
  readonly #events: LinkEvents;
  readonly #apiKeys = new Map<number, number>();
  #frozen = false;

  constructor(client: net.Socket, broker: net.Socket, events: LinkEvents) {
    this.#client = client;
    this.#broker = broker;
    this.#events = events;
    this.#forward({ from: client, to: broker, pass: (frame) => this.#passRequest(frame) });
    this.#forward({ from: broker, to: client, pass: (frame) => this.#passResponse(frame) });
  }

  freeze(): void {
    this.#frozen = true;
    this.#client.pause();
    this.#broker.pause();
  }

  thaw(): void {
    this.#frozen = false;
    this.#client.resume();
    this.#broker.resume();
  }

  cut(): void {
    this.#client.destroy();
    this.#broker.destroy();
    this.#events.closed();
  }

  #forward({ from, to, pass }: { from: net.Socket; to: net.Socket; pass: (frame: Buffer) => boolean }): void {
    const splitter = new FrameSplitter();
    from.on('data', (chunk: Buffer) => {
      const kept = splitter.push(chunk).filter((frame) => !from.destroyed && pass(frame));
      if (kept.length === 0 || to.destroyed) return;
      if (to.write(Buffer.concat(kept))) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#frozen) from.resume();
      });
    });
    from.on('end', () => to.end());
    from.on('error', () => this.cut());
    from.on('close', () => {
      // What a client sent before it left still reaches the broker: only a clean end follows the data.
      if (this.#client.destroyed && this.#broker.destroyed) this.#events.closed();
      else if (from === this.#broker) this.cut();
    });
  }

  #passRequest(frame: Buffer): boolean {
    const { apiKey, correlationId } = requestHead(frame);
    if (this.#events.dropsRequest(apiKey)) {
      this.cut();
      return false;
    }
    this.#apiKeys.set(correlationId, apiKey);
    return true;
  }

  #passResponse(frame: Buffer): boolean {
    const correlationId = responseCorrelationId(frame);
    const apiKey = this.#apiKeys.get(correlationId);
    this.#apiKeys.delete(correlationId);
    const drop = apiKey === undefined ? undefined : this.#events.dropsResponse(apiKey);
    if (drop === 'by a cut') this.cut();
    return drop === undefined;
  }
}
