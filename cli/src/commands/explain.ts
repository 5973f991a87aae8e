// SPDX-License-Identifier: Apache-2.0
import { KafkaLog } from '@clyra/adapter-kafka/kafka-log';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { topicNames } from '@clyra/core/change/topics';
import type { ReceiptBody } from '@clyra/core/enforcement/receipt-body';
import { ClyraError } from '@clyra/core/kernel/error';
import { registryCodec } from '@clyra/runtime/envelope-codec';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { standingInWords, stateText } from '../explain/answer-in-words.ts';
import { findReceipt } from '../explain/find-receipt.ts';
import { receiptInWords } from '../explain/receipt-in-words.ts';
import { type CallerOptions, callerClient, callerOptions } from '../intake/caller.ts';
import { refusalOf } from '../intake/intake-client.ts';
import { readSettings } from '../local/settings.ts';

const LOG_DEADLINE_MS = 10_000;

export function addExplainCommand(program: Command, host: CommandHost): void {
  const explain = program
    .command('explain')
    .argument('<event>', 'event id, as in the answer of intake or in its clyra-event-id header')
    .description('a change in words: what was asked, what was decided, by which rule, what to do next');
  callerOptions(explain, true).action(async (eventId: string, options: CallerOptions) => {
    host.exit(await explainChange(host.context(), eventId, options));
  });
}

async function explainChange(context: Context, eventId: string, options: CallerOptions): Promise<number> {
  const { client } = await callerClient(context, options);
  const answer = await client.change(eventId);
  const { status, body } = answer;
  if (status >= 300) throw refusalOf(answer);
  const receipt = await receiptFromLog(context, body);
  if (receipt === undefined) context.output.result(body, standingInWords(body));
  else {
    const value: JsonObject = { ...body, receipt: receipt as unknown as JsonValue };
    context.output.result(value, receiptInWords(receipt, stateText(body)));
  }
  return EXIT.done;
}

/** Intake knows where a change stands; the whole receipt is on the log, which only people near it can read. */
async function receiptFromLog(context: Context, body: JsonObject): Promise<ReceiptBody | undefined> {
  const { partition, offset, event_id: eventId } = body;
  const settings = await readSettings(context.layout);
  if (settings === undefined || typeof partition !== 'number' || typeof offset !== 'number') return undefined;
  const log = new KafkaLog({ brokers: settings.kafka_brokers, clientId: 'clyra-explain' });
  try {
    const codec = await registryCodec({ url: settings.registry_url, deadlineMs: LOG_DEADLINE_MS });
    const topic = topicNames(settings.topic_prefix).receipts;
    const place = { topic, partition, changeOffset: offset, eventId: String(eventId) };
    return await findReceipt(log, codec, { ...place, deadlineMs: LOG_DEADLINE_MS });
  } catch (failure) {
    if (!(failure instanceof ClyraError)) throw failure;
    context.output.progress(`  the receipt itself cannot be read: ${failure.message}`);
    return undefined;
  } finally {
    await log.close();
  }
}
