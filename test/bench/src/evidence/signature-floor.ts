// SPDX-License-Identifier: Apache-2.0
import { generateKeyPairSync, sign, verify } from 'node:crypto';
import process from 'node:process';

const MESSAGE_BYTES = 200;
const COUNT = 4_000;

/** How many Ed25519 signatures a second of CPU node:crypto checks: what full mode cannot go below where each line is signed. */
export function signaturesPerSecond(): number {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const message = Buffer.alloc(MESSAGE_BYTES, 'm');
  const signature = sign(null, message, privateKey);
  const before = process.cpuUsage();
  for (let n = 0; n < COUNT; n += 1) {
    if (!verify(null, message, publicKey, signature)) throw new Error('a good signature was refused');
  }
  const { user, system } = process.cpuUsage(before);
  return COUNT / ((user + system) / 1e6);
}
