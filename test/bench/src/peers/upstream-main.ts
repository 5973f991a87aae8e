// SPDX-License-Identifier: Apache-2.0
// The service behind every proxy: reads the body and answers with a line of JSON.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { followParent, tellParent } from '../process/peer-side.ts';

const ANSWER = Buffer.from('{"ok":true}');

followParent();
process.on('SIGTERM', () => process.exit(0));
const server = createServer((request, response) => {
  request.on('end', () => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': ANSWER.length });
    response.end(ANSWER);
  });
  request.resume();
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  tellParent({ ready: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
