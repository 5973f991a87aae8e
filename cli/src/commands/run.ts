// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { type CallerOptions, callerClient, callerOptions } from '../intake/caller.ts';
import type { IntakeAnswer } from '../intake/intake-client.ts';
import { refusalOf } from '../intake/intake-client.ts';
import { receiptOf, showReceipt } from '../intake/issue-command.ts';

type RunOptions = CallerOptions & { readonly runId?: string };

export function addRunCommand(program: Command, host: CommandHost): void {
  const run = program
    .command('run')
    .description('runs: changes that belong together, closed with a count and a bundle');
  const open = run.command('open').description('open a run');
  callerOptions(open, true)
    .option('--run-id <id>', 'a name for it (default: intake makes one)')
    .action(async (options: RunOptions) => {
      const context = host.context();
      const { client, actor } = await callerClient(context, options);
      const runId = options.runId === undefined ? {} : { run_id: options.runId };
      host.exit(showRun(context, await client.openRun({ ...runId, actor })));
    });
  const close = run.command('close').argument('<run-id>').description('close a run: seals its bundle');
  callerOptions(close, true).action(async (runId: string, options: CallerOptions) => {
    const context = host.context();
    const { client, actor } = await callerClient(context, options);
    host.exit(showRun(context, await client.closeRun(runId, { actor })));
  });
}

/** An answer with a receipt is told in words; one without is told by its run id. */
function showRun(context: Context, answer: IntakeAnswer): number {
  if (receiptOf(answer.body) !== undefined) return showReceipt(context, answer);
  const { status, body } = answer;
  if (status >= 300 || typeof body['run_id'] !== 'string') throw refusalOf(answer);
  context.output.result(body, `✓ run ${body['run_id']}${countText(body)}`);
  return 0;
}

function countText(body: JsonObject): string {
  return typeof body['count'] === 'number' ? `: closed after ${body['count']} receipts` : ' is open';
}
