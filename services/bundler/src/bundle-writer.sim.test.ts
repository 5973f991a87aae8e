// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from '@jest/globals';
import { World } from './test-support/bundler-world.ts';

describe('documents that a range names', () => {
  it('are in memory one at a time', async () => {
    const world = await new World(1).open();
    for (const text of ['{"a":1}', '{"b":2}', '{"c":3}']) await world.history.document(Buffer.from(text));
    for (const [digest, bytes] of world.history.documents) await world.blobs.put(`documents/${digest}`, bytes);
    await world.publish();
    await world.clock.advance(1_000);
    await world.history.closeWindow();
    await world.publish();
    const order: string[] = [];
    const get = world.blobs.get.bind(world.blobs);
    const put = world.blobs.put.bind(world.blobs);
    const isDocument = (name: string): boolean => world.history.documents.has(name.split('/').at(-1) ?? '');
    world.blobs.get = (name) => {
      if (isDocument(name)) order.push('read');
      return get(name);
    };
    world.blobs.put = (name, content) => {
      if (isDocument(name)) order.push('written');
      return put(name, content);
    };
    const running = world.start();
    await world.clock.advance(30_000);
    expect([running.reason, running.bug]).toEqual([undefined, undefined]);
    expect(order).toEqual(['read', 'written', 'read', 'written', 'read', 'written']);
  });
});

describe('a journal that stands there already', () => {
  it('with other lines is a fork, and is not read into memory to say so', async () => {
    const world = await new World(2).open();
    await world.history.closeWindow();
    await world.publish();
    const put = world.blobs.put.bind(world.blobs);
    world.blobs.put = async (name, content) => {
      if (name.endsWith('/journal.jsonl')) await put(name, Buffer.from('{}\n')).catch(() => {});
      return put(name, content);
    };
    const read: string[] = [];
    const get = world.blobs.get.bind(world.blobs);
    world.blobs.get = (name) => {
      read.push(name);
      return get(name);
    };
    const running = world.start();
    await world.clock.advance(30_000);
    expect(running.reason).toMatch(/^CLY_BUNDLE_FORKED/);
    expect(read.filter((name) => name.endsWith('/journal.jsonl'))).toEqual([]);
  });
});
