// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Credential } from '@clyra/cli/local/credentials';
import { formatContentDigest } from '@clyra/core/inspection/content-digest';
import { requestMac, SIGNATURE_HEADERS } from '@clyra/core/inspection/request-signature';
import { systemRandom } from '@clyra/runtime/system-random';

const BLOCK_LINES = 500;
const TARGET = '/contacts';

/** Lines of contacts, about 200 bytes each, until there are so many bytes; the same ones each time. */
export function* contactLines(byteCount: number, tenant: string): Generator<Buffer> {
  const note = 'n'.repeat(160);
  for (let id = 0, size = 0; size < byteCount; ) {
    const lines: string[] = [];
    for (let line = 0; line < BLOCK_LINES; line += 1, id += 1) {
      lines.push(`{"id":${id},"tenant":"${tenant}","note":"${note}"}\n`);
    }
    const block = Buffer.from(lines.join(''));
    size += block.length;
    yield block;
  }
}

export type Digested = { readonly sha256: string; readonly size: number };

export function digestOfLines(blocks: Iterable<Uint8Array>): Digested {
  const hash = createHash('sha256');
  let size = 0;
  for (const block of blocks) {
    hash.update(block);
    size += block.length;
  }
  return { sha256: hash.digest('hex'), size };
}

export type Sending = { readonly gatewayUrl: string; readonly credential: Credential; readonly deadlineMs: number };

/** Sends a body that is never whole in this process either, and gives the answer's status and text. */
export async function sendLines(
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  digest: Digested,
  { gatewayUrl, credential, deadlineMs }: Sending,
): Promise<{ readonly status: number; readonly text: string }> {
  const nonce = Buffer.from(systemRandom.bytes(16)).toString('hex');
  const signed = {
    method: 'POST',
    target: TARGET,
    tenant: credential.tenant,
    actor: 'bulk-loader',
    timestamp: String(Date.now()),
    nonce,
    idempotencyKey: nonce,
    runId: '',
    contentDigest: formatContentDigest(digest.sha256),
  };
  const headers = {
    [SIGNATURE_HEADERS.tenant]: signed.tenant,
    [SIGNATURE_HEADERS.actor]: signed.actor,
    [SIGNATURE_HEADERS.keyId]: credential.key_id,
    [SIGNATURE_HEADERS.timestamp]: signed.timestamp,
    [SIGNATURE_HEADERS.nonce]: nonce,
    [SIGNATURE_HEADERS.idempotencyKey]: nonce,
    [SIGNATURE_HEADERS.contentDigest]: signed.contentDigest,
    [SIGNATURE_HEADERS.signature]: requestMac(Buffer.from(credential.secret, 'base64'), signed),
    'content-type': 'application/x-ndjson',
    'content-length': String(digest.size),
  };
  const sent = request(`${gatewayUrl}${TARGET}`, { method: 'POST', headers, timeout: deadlineMs });
  const answered = new Promise<{ status: number; text: string }>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      response.on('error', reject);
    });
  });
  const [answer] = await Promise.all([answered, pipeline(Readable.from(blocks), sent)]);
  return answer;
}
