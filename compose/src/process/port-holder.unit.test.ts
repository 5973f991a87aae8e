// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LOCAL_ADDRESS, requireFreePort } from './port-holder.ts';

describe('requireFreePort', () => {
  let server: Server;
  let port: number;
  beforeEach(async () => {
    server = createServer().listen(0, LOCAL_ADDRESS);
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterEach(() => void server.close());

  it('says which port is taken, for what it was wanted, by whom, and what to do', async () => {
    const asking = requireFreePort('Kafka', port);
    await expect(asking).rejects.toMatchObject({
      code: 'CLY_STACK_PORT_TAKEN',
      context: { port, part: 'Kafka', holderPid: process.pid },
    });
    await expect(asking).rejects.toThrow(/^port \d+ \(Kafka\) is taken by .*pid \d+.*--port-base \d+$/);
  });

  it('accepts a port that was given back', async () => {
    server.close();
    await once(server, 'close');
    await expect(requireFreePort('Kafka', port)).resolves.toBeUndefined();
  });
});
