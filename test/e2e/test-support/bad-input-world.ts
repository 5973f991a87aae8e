// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type KeyName, keyFileOf } from '@clyra/cli/local/layout';
import { POLICY_TEXT } from '@clyra/intake/test-support/intake-world';
import { systemRandom } from '@clyra/runtime/system-random';
import { FaultWorld } from '../../faults/world/fault-world.ts';
import { NotingUpstream } from '../../faults/world/noting-upstream.ts';
import { WORLD_PARTITION, WORLD_TENANT } from '../../faults/world/world-policy.ts';
import { runClyra } from '../run-clyra.ts';
import type { RowContext } from './bad-input-row.ts';

export type BadInputWorld = {
  readonly world: FaultWorld;
  readonly upstream: NotingUpstream;
  /** For one row: its own time and its own nonces. */
  context(): RowContext;
};

const KEY_ID = 'bot-key';
const CLI_DEADLINE_MS = 60_000;

/** Intake, enforcer and bundler as processes on a stack of their own, and a tenant whose caller is `bot` and nobody else. */
export async function startBadInputWorld(seed: number): Promise<BadInputWorld> {
  const world = await FaultWorld.start({ name: 'bad-input', parts: ['kafka', 'registry'], seed });
  try {
    return await fill(world);
  } catch (error) {
    await world.close();
    throw error;
  }
}

async function fill(world: FaultWorld): Promise<BadInputWorld> {
  const { layout } = world.parts.local;
  const secret = systemRandom.bytes(32);
  const encoded = Buffer.from(secret).toString('base64');
  const known = JSON.parse(await readFile(layout.credentialsFile, 'utf8')) as { credentials: unknown[] };
  const bot = { key_id: KEY_ID, secret: encoded, tenant: WORLD_TENANT, actors: ['bot'] };
  const credentials = [...known.credentials, bot];
  await writeFile(layout.credentialsFile, JSON.stringify({ credentials }), { mode: 0o600 });

  const upstream = await NotingUpstream.start();
  world.onClose(() => upstream.close());
  // Other work on the machine must not decide what this test sees.
  const env = { CLYRA_UPSTREAMS: `crm=${upstream.url}`, CLYRA_HOLD_MS: '10000', CLYRA_WINDOW_MS: '3600000' };
  await Promise.all([
    world.service('intake', { env }).start(),
    world.service('enforcer').start(),
    world.service('bundler').start(),
  ]);
  const policy = join(world.parts.folder, 'payments.yaml');
  await writeFile(policy, POLICY_TEXT);
  const open = ['tenant', 'open', WORLD_TENANT, '--policy', policy, '--partition', String(WORLD_PARTITION)];
  const opened = await runClyra(['--data-dir', layout.dataDir, ...open], CLI_DEADLINE_MS);
  if (opened.code !== 0) throw new Error(`the tenant was not opened: ${opened.stdout}${opened.stderr}`);

  const unique = (): string => `unique-${Buffer.from(systemRandom.bytes(12)).toString('hex')}`;
  const context = (): RowContext => ({
    keyId: KEY_ID,
    secret,
    tenant: WORLD_TENANT,
    nowMs: Date.now(),
    unique,
    keyFile: (name) => keyFileOf(layout, name as KeyName),
  });
  return { world, upstream, context };
}
