// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';

/** docs/spec/records.md §2: the hashes that chain bodies. Domain-separated, and over bodies, never over signatures. */
const PREV = Buffer.from('clyra/prev/v0\n', 'utf8');
/** Used again for each body that fits, as bodies do: it keeps beginning with PREV. */
const linkInput = Buffer.concat([PREV, Buffer.alloc(65_536)]);

export function linkTo(body: Uint8Array): Digest {
  const size = PREV.length + body.length;
  if (size > linkInput.length) return digestOf(Buffer.concat([PREV, body]));
  linkInput.set(body, PREV.length);
  return digestOf(linkInput.subarray(0, size));
}

export function tenantGenesis(streamId: string, tenant: string): Digest {
  return digestOf(`clyra/tenant/v0\n${streamId}\n${tenant}`);
}

export function runGenesis(tenant: string, runId: string): Digest {
  return digestOf(`clyra/run/v0\n${tenant}\n${runId}`);
}

export function receiptIdOf(place: { streamId: string; partition: number; offset: number }): string {
  return digestOf(`${place.streamId}\n${place.partition}\n${place.offset}`).slice(0, 32);
}

export function chainGenesis(partition: number): Digest {
  return digestOf(`clyra/chain/v0\n${partition}`);
}

const chainInput = Buffer.alloc(64);

export function chainAfter(chain: Digest, bodyDigest: Digest): Digest {
  chainInput.write(chain, 0, 'hex');
  chainInput.write(bodyDigest, 32, 'hex');
  return digestOf(chainInput);
}
