// SPDX-License-Identifier: Apache-2.0
import { rm } from 'node:fs/promises';
import { stopStack, wipeStack } from '@clyra/stack/stack-stop';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import type { LocalLayout } from '../local/layout.ts';
import { stopProcesses } from '../local/services-processes.ts';

export function addDownCommand(program: Command, host: CommandHost): void {
  program
    .command('down')
    .description('stop what `up` started; data stays')
    .option('--wipe', 'also delete all data, keys, bundles and logs of this installation')
    .action(async ({ wipe = false }: { wipe?: boolean }) => {
      const { layout, output } = host.context();
      await stopProcesses(layout);
      await (wipe ? wipeStack(layout.stackDir) : stopStack(layout.stackDir));
      if (wipe) await wipeLocal(layout);
      output.result(
        { stopped: true, wiped: wipe, data_dir: layout.dataDir },
        wipe ? `✓ stopped; ${layout.dataDir} is wiped` : `✓ stopped; data stays in ${layout.dataDir}`,
      );
    });
}

/** Only what this program made: a folder named by mistake keeps everything else. */
async function wipeLocal(layout: LocalLayout): Promise<void> {
  const made = [
    layout.keysDir,
    layout.stateDir,
    layout.blobDir,
    layout.logsDir,
    layout.trustRootFile,
    layout.trustRootDsseFile,
    layout.credentialsFile,
    layout.sourcesFile,
    layout.settingsFile,
    layout.servicesFile,
  ];
  for (const path of made) await rm(path, { recursive: true, force: true });
}
