// SPDX-License-Identifier: Apache-2.0
import type { Pool } from 'undici';
import { openPool } from '../upstream/http-upstream.ts';
import type { UpstreamAddress } from '../upstream/upstream-list.ts';
import { ANSWER_BYTES_MAX, type Outcome, outage, outcomeOfError, readAnswer } from './detector-answer.ts';
import type { DetectorClients } from './external-detectors.ts';

const PATH = '/v1/verdicts';
const LIMITS = { connectionsMax: 32, connectMs: 1_000, headersMs: 5_000, bodyMs: 5_000, totalMs: 5_000 };

export type HttpDetectors = { readonly clients: DetectorClients; close(): Promise<void> };

/** Detectors over HTTP; addresses are resolved once, redirects are answers like any other. Rejects as HttpUpstream.open does. */
export async function openHttpDetectors(addresses: readonly UpstreamAddress[]): Promise<HttpDetectors> {
  const pools = new Map<string, Pool>();
  for (const address of addresses) pools.set(address.name, await openPool(address, LIMITS));
  const clients: DetectorClients = new Map(
    [...pools].map(([name, pool]) => [
      name,
      (requestDigest: string) => ({
        ask: (body: string, deadlineMs: number) => ask(pool, { body, deadlineMs, requestDigest }),
      }),
    ]),
  );
  return { clients, close: async () => void (await Promise.all([...pools.values()].map((pool) => pool.destroy()))) };
}

type Ask = { readonly body: string; readonly deadlineMs: number; readonly requestDigest: string };

async function ask(pool: Pool, { body, deadlineMs, requestDigest }: Ask): Promise<Outcome> {
  if (deadlineMs <= 0) return outage('timeout');
  try {
    const answer = await pool.request({
      method: 'POST',
      path: PATH,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body,
      signal: AbortSignal.timeout(deadlineMs),
    });
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > ANSWER_BYTES_MAX) return outage('malformed');
      chunks.push(chunk);
    }
    return readAnswer(answer.statusCode, Buffer.concat(chunks).toString('utf8'), requestDigest);
  } catch (error) {
    return outcomeOfError(error);
  }
}
