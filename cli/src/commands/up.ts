// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { applyTopics } from '../local/apply-topics.ts';
import { type Local, prepareLocal } from '../local/prepare-local.ts';
import type { RunningServices } from '../local/running-services.ts';
import { startServices } from '../local/services.ts';
import type { LocalSettings } from '../local/settings.ts';
import { startLocalStack } from '../local/start-stack.ts';
import { textTable } from '../text-table.ts';
import { integerArgument } from './arguments.ts';

type UpOptions = {
  readonly portBase?: number;
  readonly topicPrefix?: string;
  readonly services?: boolean;
  readonly upstream?: readonly string[];
};

export function addUpCommand(program: Command, host: CommandHost): void {
  program
    .command('up')
    .description('start Kafka, the schema registry, PostgreSQL and the five services on this machine')
    .option(
      '--port-base <port>',
      'put all ports at this one and above (default: 29092, 28081, 25432, 8081–8085)',
      integerArgument,
    )
    .option('--topic-prefix <prefix>', 'first part of every topic name (default: clyra)')
    .option('--upstream <name=url...>', 'where allowed changes go (default: crm=http://127.0.0.1:8090)')
    .option('--no-services', 'only the stack, with topics and schemas')
    .addHelpText(
      'after',
      '\nThe first start makes keys, a trust root and the topics, and may fetch the jars of Kafka. Stop with `clyra down`.',
    )
    .action(async (options: UpOptions) => up(host.context(), options));
}

async function up(context: Context, options: UpOptions): Promise<void> {
  const { output } = context;
  const say = (line: string): void => output.progress(`  ${line}`);
  const local = await prepareLocal(context.layout.dataDir, context);
  if (local.created) say(`keys and a trust root are new (${local.layout.trustRootFile})`);
  const { portBase, topicPrefix, upstream: upstreams } = options;
  const settings = await startLocalStack(local, { portBase, topicPrefix, upstreams, onProgress: say });
  await applyTopics({
    brokers: settings.kafka_brokers,
    registryUrl: settings.registry_url,
    prefix: settings.topic_prefix,
    profile: 'local',
  });
  say('topics and schemas are in place');
  const running = options.services === false ? undefined : await startLocalServices(local, settings, say);
  const places = whereWhatListens(local, settings, running);
  output.result(
    Object.fromEntries(places.map(([name, place]) => [name, place])),
    `${textTable(['what', 'where'], places)}\nStop with \`clyra down\`; look again with \`clyra status\`.`,
  );
}

function startLocalServices(
  { layout }: Local,
  settings: LocalSettings,
  onProgress: (line: string) => void,
): Promise<RunningServices> {
  return startServices({ mode: 'processes', layout, settings, logFormat: 'json', onProgress });
}

function whereWhatListens(
  { layout }: Local,
  settings: LocalSettings,
  running: RunningServices | undefined,
): [string, string][] {
  return [
    ['Kafka', settings.kafka_brokers.join(',')],
    ['schema registry', settings.registry_url],
    ['PostgreSQL', `${settings.postgres.host}:${settings.postgres.port}`],
    ...(running === undefined ? [] : [['gateway (changes go in here)', settings.gateway_url] as [string, string]]),
    ...(running?.services ?? []).map(({ name, url }): [string, string] => [name, url]),
    ['logs', layout.logsDir],
    ['bundles', `${layout.blobDir}/bundles`],
    ['trust root', layout.trustRootFile],
  ];
}
