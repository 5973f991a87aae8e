// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { offlineCodec, registryCodec } from './envelope-codec.ts';

describe('offlineCodec', () => {
  it('gives back what it wrote, bytes and all, and calls other bytes poison', async () => {
    const codec = offlineCodec();
    const value = {
      body: Buffer.from('{"v":0}'),
      signature: null,
      chain: Buffer.alloc(32, 1),
      tenant: 'acme',
      kind: 'recorded',
      event_id: 'e',
      offset: 2 ** 52,
    };
    const bytes = codec.encode('ReceiptEnvelope', value);
    expect(await codec.decode('ReceiptEnvelope', bytes)).toMatchObject(value);
    const poison = { code: 'CLY_SCHEMA_UNDECODABLE', retry: 'never' };
    const decoding = async (name: 'ReceiptEnvelope' | 'EdgeEnvelope', found: Uint8Array) => codec.decode(name, found);
    await expect(decoding('ReceiptEnvelope', bytes.subarray(0, 20))).rejects.toMatchObject(poison);
    await expect(decoding('EdgeEnvelope', bytes)).rejects.toMatchObject(poison);
  });
});

describe('registryCodec', () => {
  it('says that the registry cannot be asked, so that the start waits', async () => {
    const unreachable = { code: 'CLY_SCHEMA_REGISTRY_UNREACHABLE', retry: 'backoff' };
    await expect(registryCodec({ url: 'http://127.0.0.1:1', deadlineMs: 300 })).rejects.toMatchObject(unreachable);
  });
});
