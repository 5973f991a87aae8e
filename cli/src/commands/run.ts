// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { type CallerOptions, callerClient, callerOptions } from '../intake/caller.ts';
import { showDecision } from '../intake/issue-command.ts';

type OpenOptions = CallerOptions & {
  readonly runId?: string;
  readonly actorPrincipal?: string;
  readonly approverPrincipal?: string;
  readonly clientAppId?: string;
  readonly sessionId?: string;
};

export function addRunCommand(program: Command, host: CommandHost): void {
  const run = program
    .command('run')
    .description('runs: changes that belong together, closed with a count and a bundle');
  const open = run.command('open').description('open a run');
  callerOptions(open, true)
    .option('--run-id <id>', 'a name for it (default: intake makes one)')
    .option('--actor-principal <name>', 'who acts, as the logs of a partner name them')
    .option('--approver-principal <name>', 'who approved, as the logs of a partner name them')
    .option('--client-app-id <name>', "the partner's application")
    .option('--session-id <name>', 'the session of a call or chat at the partner')
    .action(async (options: OpenOptions) => {
      const context = host.context();
      const { client } = await callerClient(context, options);
      const answer = await client.openRun(runOf(options));
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

function runOf(options: OpenOptions): JsonObject {
  const correlation = given({
    actor_principal: options.actorPrincipal,
    approver_principal: options.approverPrincipal,
    client_app_id: options.clientAppId,
    session_id: options.sessionId,
  });
  return { ...given({ run_id: options.runId }), ...(Object.keys(correlation).length === 0 ? {} : { correlation }) };
}

function given(members: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
