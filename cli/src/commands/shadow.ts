// SPDX-License-Identifier: Apache-2.0
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { topicNames } from '@clyra/core/change/topics';
import { ShadowReport, type ShadowRow } from '@clyra/core/detectors/shadow-report';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { readSettings } from '../local/settings.ts';
import { readReceipts } from '../shadow/read-receipts.ts';
import { textTable } from '../text-table.ts';

const DEADLINE_MS = 30_000;

export function addShadowCommand(program: Command, host: CommandHost): void {
  program
    .command('shadow')
    .option('--tenant <tenant>', 'only the receipts of this tenant')
    .description(
      'what rules in shadow would have stopped: how many requests, and between which bounds the share lies (95 %)',
    )
    .action(async (options: { readonly tenant?: string }) => {
      host.exit(await reportShadow(host.context(), options.tenant));
    });
}

async function reportShadow(context: Context, tenant: string | undefined): Promise<number> {
  const settings = await readSettings(context.layout);
  if (settings === undefined) {
    context.output.result([], `Nothing was started in ${context.layout.dataDir}. Start with \`clyra up\`.`);
    return EXIT.refused;
  }
  const log = new KafkaLog({ brokers: settings.kafka_brokers, clientId: 'clyra-shadow' });
  const report = new ShadowReport();
  try {
    const codec = await registryCodec({ url: settings.registry_url, deadlineMs: DEADLINE_MS });
    const topic = topicNames(settings.topic_prefix).receipts;
    const take = (body: Parameters<ShadowReport['add']>[0]): void => {
      if (tenant === undefined || body['tenant'] === tenant) report.add(body);
    };
    await readReceipts({ log, codec, topic }, take, DEADLINE_MS);
  } finally {
    await log.close();
  }
  const rows = report.rows();
  context.output.result(rows as unknown as JsonValue, inWords(rows));
  return EXIT.done;
}

function inWords(rows: readonly ShadowRow[]): string {
  if (rows.length === 0) return 'No rule in shadow would have stopped anything.';
  const percent = (share: number): string => `${(share * 100).toFixed(3)} %`;
  const lines = rows.map(({ rule, cause, wouldBlock, requests, low, high }) => [
    ...[rule, cause, `${wouldBlock} of ${requests}`, percent(wouldBlock / requests)],
    `${percent(low)} to ${percent(high)}`,
  ]);
  return textTable(['rule', 'cause', 'would stop', 'share', '95 %'], lines);
}
