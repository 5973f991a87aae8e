// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { receiptInWords } from '../explain/receipt-in-words.ts';
import { type CallerOptions, callerClient, callerOptions } from '../intake/caller.ts';
import { refusalOf } from '../intake/intake-client.ts';
import { receiptOf } from '../intake/issue-command.ts';

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
  const receipt = receiptOf(body);
  context.output.result(
    body,
    receipt === undefined
      ? `Event ${eventId} was asked for and has no receipt yet. Ask again in a second; see \`clyra status\` if it stays so.`
      : receiptInWords(receipt, outcomeText(body)),
  );
  return EXIT.done;
}

/** `state` of the change's life (requested, allowed, done, …) and what its target answered. */
function outcomeText(body: JsonObject): string | undefined {
  const outcome = body['outcome'] ?? body['state'];
  if (typeof outcome !== 'string') return undefined;
  const status = body['upstream_status'];
  return typeof status === 'number' ? `${outcome}; its target answered ${status}` : outcome;
}
