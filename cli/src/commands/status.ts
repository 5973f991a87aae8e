// SPDX-License-Identifier: Apache-2.0
import { stackStatus } from '@clyra/stack/stack-status';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import type { LocalLayout } from '../local/layout.ts';
import { readServices } from '../local/services-file.ts';
import { readinessOf } from '../local/services-processes.ts';
import { textTable } from '../text-table.ts';

type Line = { readonly name: string; readonly place: string; readonly state: string; readonly well: boolean };

export function addStatusCommand(program: Command, host: CommandHost): void {
  program
    .command('status')
    .description('what runs, where, and what it waits for; exit code 1 where something is not ready')
    .action(async () => {
      const { layout, output } = host.context();
      const lines = [...stackLines(layout), ...(await serviceLines(layout))];
      if (lines.length === 0) {
        output.result([], `Nothing was started in ${layout.dataDir}. Start with \`clyra up\`.`);
      } else {
        output.result(
          lines.map(({ name, place, state, well }) => ({ name, place, state, ready: well })),
          textTable(
            ['what', 'where', 'state'],
            lines.map(({ name, place, state }) => [name, place, state]),
          ),
        );
      }
      host.exit(lines.length > 0 && lines.every(({ well }) => well) ? EXIT.done : EXIT.refused);
    });
}

function stackLines(layout: LocalLayout): Line[] {
  const parts = stackStatus(layout.stackDir)?.parts ?? [];
  return parts.map(({ part, running, port, pid }) => ({
    name: part,
    place: `127.0.0.1:${port}`,
    state: running ? `running, process ${pid}` : 'not running; see its log, then `clyra up`',
    well: running,
  }));
}

async function serviceLines(layout: LocalLayout): Promise<Line[]> {
  const services = await readServices(layout);
  return Promise.all(
    services.map(async ({ name, url, log }): Promise<Line> => {
      const answer = await readinessOf(url);
      if (answer === undefined) return { name, place: url, state: `does not answer; see ${log}`, well: false };
      const reasons = answer.reasons.map((reason) => `${reason.name}: ${reason.reason}`).join('; ');
      return { name, place: url, state: answer.ready ? 'ready' : `waits for ${reasons}`, well: answer.ready };
    }),
  );
}
