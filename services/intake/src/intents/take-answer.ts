// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { GatewayAnswer } from '../gateway/gateway-request.ts';

/** Of an upstream's answer so much travels in a reply; of more, its digest and size only. */
export const ANSWER_BYTES_MAX = 262_144;

/** An upstream's answer as a reply tells it. It is read to its end, since its outcome is written there. */
export async function takeAnswer({ status, headers, body }: GatewayAnswer): Promise<JsonObject> {
  const hash = createHash('sha256');
  const kept: Uint8Array[] = [];
  let size = 0;
  let isCut = false;
  try {
    for await (const chunk of chunksOf(body)) {
      size += chunk.length;
      hash.update(chunk);
      if (size <= ANSWER_BYTES_MAX) kept.push(chunk);
    }
  } catch {
    isCut = true;
  }
  const isWhole = !isCut && size <= ANSWER_BYTES_MAX;
  const type = headers['content-type'];
  return {
    status,
    size,
    digest: hash.digest('hex'),
    ...(typeof type === 'string' ? { content_type: type } : {}),
    ...(isWhole ? { body: Buffer.concat(kept).toString('base64') } : {}),
    ...(isCut ? { cut: true } : {}),
  };
}

async function* chunksOf(body: GatewayAnswer['body']): AsyncIterable<Uint8Array> {
  if (typeof body === 'string') yield Buffer.from(body, 'utf8');
  else if (body instanceof Uint8Array) yield body;
  else yield* body;
}
