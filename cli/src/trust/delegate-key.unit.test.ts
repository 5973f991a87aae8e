// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKeyFile } from '@clyra/adapter-signing/file-signer';
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { buildTrustRoot, type TrustRootFile } from '@clyra/adapter-signing/trust-root-file';
import type { Signer } from '@clyra/core/ports/signer';
import { readDelegation, type SignedCommand } from '@clyra/core/signing/delegation';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { localLayout } from '../local/layout.ts';
import { runCli } from '../run-cli.ts';

const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;
let folder: string;
let intake: Server;
let sent: SignedCommand[];
let trust: TrustRootFile;
let lent: Signer;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clyra-lend-'));
  sent = [];
  const root = memorySigner();
  const kms = await createKeyFile(join(folder, 'kms.pem'));
  lent = await createKeyFile(join(folder, 'process.pem'));
  const window = { subject: 'kms', operator: 'acme', validFromMs: 0, validToMs: NOW_MS * 2 };
  trust = await buildTrustRoot(
    {
      version: 1,
      expiresAtMs: NOW_MS * 2,
      logOrigin: 'acme.example/log',
      singleOperator: false,
      keys: [
        { ...window, publicKey: root.publicKey, roles: ['root'] },
        { ...window, publicKey: kms.publicKey, roles: ['delegator', 'intake'] },
      ],
    },
    [root],
  );
  await writeFile(localLayout(folder).trustRootFile, trust.bytes);
  intake = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      sent.push(JSON.parse(Buffer.concat(chunks).toString()) as SignedCommand);
      response.end(JSON.stringify({ decision: 'allow', event_id: 'e', reasons: [] }));
    });
  });
  await new Promise<void>((resolve) => intake.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  intake.closeAllConnections();
  await new Promise((resolve) => intake.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function delegate(...args: readonly string[]): Promise<{ code: number; err: string }> {
  let err = '';
  const machine = {
    stdout: { write: () => true },
    stderr: { write: (text: string) => (err += text) },
    clock: { nowMs: () => NOW_MS, after: () => () => {} },
    random: { bytes: (size: number) => new Uint8Array(size).fill(5) },
  };
  const at = `http://127.0.0.1:${(intake.address() as AddressInfo).port}`;
  const files = [join(folder, 'process.pem'), '--as', join(folder, 'kms.pem')];
  const code = await runCli(['--data-dir', folder, '--intake', at, 'keys', 'delegate', ...files, ...args], machine);
  return { code, err };
}

describe('clyra keys delegate', () => {
  it('sends each tenant a command that lends the key its role for some hours', async () => {
    expect((await delegate('--tenant', 'crm', '--tenant', 'erp', '--role', 'intake', '--hours', '8')).code).toBe(0);
    expect(sent.map(({ command }) => command['tenant'])).toEqual(['crm', 'erp']);
    for (const signed of sent) {
      expect(readDelegation(trust.trustRoot, signed, NOW_MS)).toMatchObject({
        key_id: lent.keyId,
        roles: ['intake'],
        valid_to: NOW_MS + 8 * HOUR_MS,
      });
    }
  });

  it('lends no role that the lender does not have, and no key for longer than a week', async () => {
    await delegate('--tenant', 'crm', '--role', 'enforcer');
    expect(readDelegation(trust.trustRoot, sent[0] as SignedCommand, NOW_MS)).toBeUndefined();
    const long = await delegate('--tenant', 'crm', '--role', 'intake', '--hours', '169');
    expect([long.code, long.err]).toEqual([2, expect.stringContaining('1 to 168')]);
  });
});
