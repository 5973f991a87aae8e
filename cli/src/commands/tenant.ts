// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import type { CompiledPolicy } from '@clyra/core/policy/policy';
import { topicCatalogue } from '@clyra/runtime/topics';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { issueCommand, readTrustRoot } from '../intake/issue-command.ts';
import { applyTenantTopics } from '../local/apply-topics.ts';
import { ensureCredential } from '../local/credentials.ts';
import { readSettings } from '../local/settings.ts';
import { type OverlayOptions, overlayOption, readOverlays } from '../policy/read-overlays.ts';
import { readText } from '../policy/read-text.ts';
import { integerArgument, type KeyOptions, keyOption } from './arguments.ts';

type OpenOptions = KeyOptions & OverlayOptions & { readonly partition?: number; readonly policy?: string };

export function addTenantCommand(program: Command, host: CommandHost): void {
  const tenant = program.command('tenant').description('tenants: each has one log in one partition');
  tenant
    .command('open')
    .argument('<tenant>', 'a-z, 0-9 and hyphens, at most 63')
    .option('--partition <number>', 'where its log lives for good (default: from its name)', integerArgument)
    .option('--policy <file>', 'the policy that is in force from the start')
    .addOption(overlayOption())
    .addOption(keyOption('an operator'))
    .description('open a tenant: signed by an operator')
    .action(async (name: string, options: OpenOptions) => {
      host.exit(await openTenant(host.context(), name, options));
    });
}

export async function openTenant(context: Context, tenant: string, options: OpenOptions): Promise<number> {
  const { bytes, trustRoot } = await readTrustRoot(context);
  const policy = options.policy === undefined ? undefined : await compileFile(options.policy, options.overlay);
  const exitCode = await issueCommand(context, {
    kind: 'tenant.opened',
    tenant,
    title: `open tenant ${tenant}`,
    people: ['operator'],
    keyFiles: options.key,
    members: {
      partition: options.partition ?? partitionFor(tenant),
      engine: 1,
      trust_root: trustRoot.digest,
      policy: policy?.digest ?? null,
    },
    documents: [
      { name: 'trust_root', content: bytes },
      ...(policy === undefined ? [] : [{ name: 'policy' as const, content: policy.bytes }]),
    ],
  });
  if (exitCode === 0) await makeReplyTopic(context, tenant);
  if (exitCode === 0) await ensureCredential(context.layout.credentialsFile, { tenant }, context.random);
  return exitCode;
}

/** Where intake answers the tenant's producers; elsewhere than on this machine `topics apply --tenant` makes it. */
async function makeReplyTopic(context: Context, tenant: string): Promise<void> {
  const settings = await readSettings(context.layout);
  if (settings === undefined) return;
  const { kafka_brokers: brokers, topic_prefix: prefix } = settings;
  await applyTenantTopics({ brokers, prefix, profile: 'local', tenants: [tenant] });
}

/** Throws PolicyError that lists every problem with its line and column. */
export async function compileFile(path: string, overlays: readonly string[] = []): Promise<CompiledPolicy> {
  return compilePolicy(await readText(path), await readOverlays(overlays));
}

/** Only a first choice that spreads tenants: once opened, the record is the directory. */
export function partitionFor(tenant: string): number {
  const count = topicCatalogue().topics.find(({ name }) => name === 'changes')?.partitions ?? 1;
  return Number.parseInt(digestOf(tenant).slice(0, 8), 16) % count;
}
