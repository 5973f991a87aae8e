// SPDX-License-Identifier: Apache-2.0
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { IntakeClient, refusalOf } from '@clyra/cli/intake/intake-client';
import { commandOf, signCommand } from '@clyra/cli/intake/sign-command';
import { ensureCredential } from '@clyra/cli/local/credentials';
import { keyFileOf } from '@clyra/cli/local/layout';
import type { Local } from '@clyra/cli/local/prepare-local';
import type { CompiledPolicy } from '@clyra/core/policy/policy';
import { systemRandom } from '@clyra/runtime/system-random';
import type { Caller } from '../load/request-maker.ts';

export const PARTITION_COUNT = 4;

/** Before intake starts: it reads the file at its start. */
export async function makeCallers(local: Local): Promise<Caller[]> {
  const callers: Caller[] = [];
  for (let index = 0; index < PARTITION_COUNT; index += 1) {
    const tenant = `bench-${index}`;
    const { key_id, secret } = await ensureCredential(local.layout.credentialsFile, { tenant }, systemRandom);
    callers.push({ tenant, keyId: key_id, secret: Buffer.from(secret, 'base64') });
  }
  return callers;
}

export type OpenOptions = {
  readonly local: Local;
  readonly policy: CompiledPolicy;
  readonly intakeUrl: string;
  readonly callers: readonly Caller[];
};

/** One tenant in each partition, each opened by a command that an operator signed. */
export async function openTenants({ local, policy, intakeUrl, callers }: OpenOptions): Promise<void> {
  await local.blobs.put(`policies/${policy.digest}`, policy.bytes);
  const signer = await fileSigner(keyFileOf(local.layout, 'operator'));
  const subject = local.trustRoot.keys.get(signer.keyId)?.subject ?? '';
  const client = new IntakeClient(intakeUrl);
  for (const [partition, { tenant }] of callers.entries()) {
    const members = { partition, engine: 1, trust_root: local.trustRoot.digest, policy: policy.digest };
    const command = commandOf({
      kind: 'tenant.opened',
      tenant,
      nowMs: Date.now(),
      subject,
      replaces: null,
      members,
    });
    const answer = await client.sendCommand({
      command,
      signatures: await signCommand(command, [signer]),
      documents: [],
    });
    if (answer.status !== 200) throw refusalOf(answer);
  }
}
