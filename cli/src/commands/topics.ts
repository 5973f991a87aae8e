// SPDX-License-Identifier: Apache-2.0
import { TOPIC_PROFILES, type TopicProfile } from '@clyra/runtime/topics';
import { type Command, Option } from 'commander';
import { clusterAccess } from '../config.ts';
import type { CommandHost, Context } from '../context.ts';
import { applyTenantTopics, applyTopics } from '../local/apply-topics.ts';
import { readSettings } from '../local/settings.ts';
import { textTable } from '../text-table.ts';

type ApplyOptions = {
  readonly brokers?: string;
  readonly registry?: string;
  readonly prefix?: string;
  readonly profile: TopicProfile;
  readonly tenant?: readonly string[];
};

export function addTopicsCommand(program: Command, host: CommandHost): void {
  const topics = program.command('topics').description('the topics and schemas of schemas/topics.json');
  topics
    .command('apply')
    .option(
      '--brokers <list>',
      'Kafka addresses, host:port, separated by commas (default: what `up` started); TLS and user by CLYRA_KAFKA_…',
    )
    .option('--registry <url>', 'schema registry (default: what `up` started)')
    .option('--prefix <prefix>', 'first part of every topic name (default: clyra)')
    .addOption(
      new Option('--profile <profile>', 'local: one broker; production: RF 3').choices(TOPIC_PROFILES).default('local'),
    )
    .option('--tenant <names...>', 'the topics for replies to these tenants too (`tenant open` makes them locally)')
    .description('create missing topics, align their settings, register the schemas; repeating it changes nothing')
    .action(async (options: ApplyOptions) => runApply(host.context(), options));
}

async function runApply(context: Context, options: ApplyOptions): Promise<void> {
  const settings = await readSettings(context.layout);
  const place = {
    brokers: options.brokers?.split(',') ?? settings?.kafka_brokers ?? ['127.0.0.1:29092'],
    access: options.brokers === undefined ? {} : clusterAccess(),
    prefix: options.prefix ?? settings?.topic_prefix ?? 'clyra',
    profile: options.profile,
  };
  const registryUrl = options.registry ?? settings?.registry_url ?? 'http://127.0.0.1:28081';
  const shared = await applyTopics({ ...place, registryUrl });
  const { tenant: tenants = [] } = options;
  const outcomes = [...shared, ...(tenants.length === 0 ? [] : await applyTenantTopics({ ...place, tenants }))];
  const rows = outcomes.map(({ name, action }) => [name, action]);
  context.output.result(
    outcomes.map(({ name, action }) => ({ topic: name, action })),
    textTable(['topic', 'what happened'], rows),
  );
}
