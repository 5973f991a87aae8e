// SPDX-License-Identifier: Apache-2.0
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { ClyraError } from '@clyra/core/kernel/error';
import { Pool } from 'undici';
import type { Upstream, UpstreamRequest, UpstreamResult } from '../gateway/upstream.ts';
import { exchangeWith } from './upstream-exchange.ts';
import { refuseLinkLocal, type UpstreamAddress } from './upstream-list.ts';

export type UpstreamLimits = {
  readonly connectionsMax: number;
  readonly connectMs: number;
  /** Until the answer's headers, between two pieces of its body, and all in all. */
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly totalMs: number;
};

/** All in all below the minute after which the enforcer calls an outcome unknown. */
export const UPSTREAM_LIMITS: UpstreamLimits = {
  connectionsMax: 256,
  connectMs: 2_000,
  headersMs: 30_000,
  bodyMs: 30_000,
  totalMs: 45_000,
};

/** Whoever passes the answer on has deadlines of its own, which come first and say more. */
const GRACE_MS = 2_000;

/** Upstreams over HTTP/1.1 with connections that are kept. Redirects are answers like any other. */
export class HttpUpstream implements Upstream {
  readonly #pools: ReadonlyMap<string, Pool>;
  readonly #totalMs: number;

  private constructor(pools: ReadonlyMap<string, Pool>, totalMs: number) {
    this.#pools = pools;
    this.#totalMs = totalMs;
  }

  /**
   * Resolves each name once: a DNS answer that changes later changes nothing here. Rejects with CLY_UPSTREAM_ADDRESS
   * (retry: never for a forbidden address, backoff for a name that does not resolve).
   */
  static async open(
    addresses: readonly UpstreamAddress[],
    limits: Partial<UpstreamLimits> = {},
  ): Promise<HttpUpstream> {
    const all = { ...UPSTREAM_LIMITS, ...limits };
    const pools = await Promise.all(
      addresses.map(async (address) => [address.name, await openPool(address, all)] as const),
    );
    return new HttpUpstream(new Map(pools), all.totalMs);
  }

  has(name: string): boolean {
    return this.#pools.has(name);
  }

  async forward(name: string, request: UpstreamRequest): Promise<UpstreamResult> {
    const pool = this.#pools.get(name);
    if (pool === undefined) return { kind: 'not_sent', detail: 'upstream_not_listed' };
    const { answer } = request;
    const { headers: added, body } = sendable(request.body);
    const options = {
      method: request.method as 'POST',
      path: request.target,
      headers: added.length === 0 ? [...request.headers] : [...request.headers, ...added],
      body,
      ...(answer === undefined ? {} : { bodyTimeout: answer.silenceMs + GRACE_MS }),
    };
    return exchangeWith(pool, options, answer === undefined ? this.#totalMs : answer.totalMs + GRACE_MS);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.close()));
  }
}

/** A body of known size keeps its length: chunked framing is one more thing that two servers can read differently. */
function sendable(body: UpstreamRequest['body']): { headers: string[]; body: Readable | Uint8Array | null } {
  if (!(body instanceof Uint8Array)) {
    return {
      headers: ['content-length', String(body.size)],
      body: Readable.from(body.chunks(), { objectMode: false }),
    };
  }
  return { headers: [], body: body.length === 0 ? null : body };
}

/** A pool of connections to the one address that the name had when it was opened. */
export async function openPool({ name, url }: UpstreamAddress, limits: UpstreamLimits): Promise<Pool> {
  const { address, family } = await resolveAddress(name, url.hostname.replaceAll(/[[\]]/g, ''));
  refuseLinkLocal(name, address);
  const pinned: LookupFunction = (_hostname, options, callback) => {
    if (options.all === true) callback(null, [{ address, family }]);
    else callback(null, address, family);
  };
  return new Pool(url.origin, {
    connections: limits.connectionsMax,
    pipelining: 1,
    headersTimeout: limits.headersMs,
    bodyTimeout: limits.bodyMs,
    connect: { timeout: limits.connectMs, lookup: pinned },
  });
}

async function resolveAddress(name: string, hostname: string): Promise<{ address: string; family: number }> {
  const family = isIP(hostname);
  if (family !== 0) return { address: hostname, family };
  try {
    return await lookup(hostname);
  } catch (cause) {
    throw new ClyraError('CLY_UPSTREAM_ADDRESS', `upstream ${name}: ${hostname} does not resolve; correct it`, {
      retry: 'backoff',
      context: { upstream: name },
      cause,
    });
  }
}
