// SPDX-License-Identifier: Apache-2.0

import { once } from 'node:events';
import { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { startTestStack } from './harness.ts';

const START_TIMEOUT_MS = 12 * 60_000;

async function connects(host: string, port: number): Promise<boolean> {
  const socket = new Socket().connect({ host, port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

describe('startTestStack', () => {
  it(
    'gives every caller the same running parts and a prefix of its own',
    async () => {
      const [first, second] = await Promise.all([
        startTestStack({ parts: ['kafka', 'registry'] }),
        startTestStack({ parts: ['postgres'] }),
      ]);
      expect(first.kafka).toEqual(second.kafka);
      expect(first.topicPrefix).not.toBe(second.topicPrefix);
      const [host = '', port] = first.kafka.bootstrap.split(':');
      expect(await connects(host, Number(port))).toBe(true);
      expect(await connects('127.0.0.1', second.postgres?.port ?? 0)).toBe(true);
      expect((await fetch(`${first.registry.url}/subjects`)).status).toBe(200);
    },
    START_TIMEOUT_MS,
  );
});
