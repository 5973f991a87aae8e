// SPDX-License-Identifier: Apache-2.0
import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { frameOf } from './request-frame.ts';

type Request = { apiKey: number; apiVersion: number; encode(): Promise<{ buf: Buffer; buffer: Buffer }> };
type Create = (all: { correlationId: number; clientId: string; request: Request }) => Promise<{ buffer: Buffer }>;

const create = createRequire(import.meta.url)('kafkajs/src/protocol/request.js') as Create;

describe('the frame of a request', () => {
  it('is what kafkajs would have sent', async () => {
    const clientId = fc.string({ unit: 'grapheme', maxLength: 200 });
    const content = fc.uint8Array({ maxLength: 2_000 });
    const fields = fc.record({ correlationId: fc.nat(), apiKey: fc.nat(100), apiVersion: fc.nat(12), clientId });
    await fc.assert(
      fc.asyncProperty(fields, content, async ({ correlationId, clientId: client, ...api }, bytes) => {
        const buffer = Buffer.from(bytes);
        const request = { ...api, encode: async () => ({ buf: buffer, buffer }) };
        const theirs = await create({ correlationId, clientId: client, request });
        const encode = (headerSize: number): Buffer => Buffer.concat([Buffer.alloc(headerSize, 0xff), buffer]);
        const ours = frameOf({ ...api, encode }, { correlationId, clientId: client });
        expect(ours.equals(theirs.buffer)).toBe(true);
      }),
    );
  });
});
