// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encoded } from './kafkajs-protocol.ts';
import { type EncodedRequest, repairRequestCopies, roomyRequest } from './request-room.ts';

type Request = { apiKey: number; apiVersion: number; encode(): Promise<EncodedRequest> };
type Create = (all: { correlationId: number; clientId: string; request: Request }) => Promise<{
  readonly buffer: Buffer;
  size(): number;
}>;

const create = createRequire(import.meta.url)('kafkajs/src/protocol/request.js') as Create;

describe('a request with room before its content', () => {
  it('is sent as kafkajs would have copied it together, from the memory it was written to', async () => {
    repairRequestCopies();
    repairRequestCopies();
    const clientId = fc.string({ unit: 'grapheme', maxLength: 200 });
    const content = fc.uint8Array({ maxLength: 2_000 });
    const fields = fc.record({ correlationId: fc.nat(), apiKey: fc.nat(100), apiVersion: fc.nat(12), clientId });
    await fc.assert(
      fc.asyncProperty(fields, content, async ({ correlationId, clientId: client, ...api }, bytes) => {
        const made = async (encode: Request['encode']) =>
          create({ correlationId, clientId: client, request: { ...api, encode } });
        const roomy = roomyRequest(bytes.length);
        roomy.content.set(bytes);
        const ours = await made(async () => roomy.request);
        const theirs = await made(() => encoded(Buffer.from(bytes)));
        expect(ours.buffer.equals(theirs.buffer)).toBe(true);
        expect(ours.size()).toBe(theirs.size());
        // The two lengths and ten bytes of numbers stand before the client's id; a longer one is copied.
        const fits = 14 + Buffer.byteLength(client) <= 128;
        expect(ours.buffer.buffer === roomy.content.buffer).toBe(fits);
      }),
    );
  });
});
