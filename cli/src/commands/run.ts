// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { type CallerOptions, callerClient, callerOptions } from '../intake/caller.ts';
import { showDecision } from '../intake/issue-command.ts';

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
      const { client } = await callerClient(context, options);
      const answer = await client.openRun(options.runId === undefined ? {} : { run_id: options.runId });
      host.exit(showDecision(context, `open run ${String(answer.body['run_id'] ?? options.runId ?? '')}`, answer));
    });
  const close = run.command('close').argument('<run-id>').description('close a run: seals its bundle');
  callerOptions(close, true).action(async (runId: string, options: CallerOptions) => {
    const context = host.context();
    const { client } = await callerClient(context, options);
    const answer = await client.closeRun(runId);
    const count = answer.body['count'];
    const counted = typeof count === 'number' ? ` after ${count} receipts` : '';
    host.exit(showDecision(context, `close run ${runId}${counted}`, answer));
  });
}
