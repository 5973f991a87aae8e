// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { type OverlayOptions, overlayOption } from '../policy/read-overlays.ts';
import { collect, integerArgument } from './arguments.ts';

type Options = OverlayOptions & {
  readonly portBase?: number;
  readonly seed?: number;
  readonly statement?: readonly string[];
};

export function addQuickstartCommand(program: Command, host: CommandHost): void {
  const overlays = overlayOption();
  overlays.description = 'show instead that each rule of this overlay answers (packs/scenarios/agents); repeatable';
  program
    .command('quickstart')
    .description('the whole pipeline on this machine: guarded changes in, a verified evidence bundle out')
    .option('--port-base <port>', 'put all ports at this one and above', integerArgument)
    .option('--seed <number>', 'which byte of the copy is flipped (default: the time)', integerArgument)
    .option('--statement <sql>', 'send this SQL on `accounts` through the gateway as well; repeat', collect)
    .addOption(overlays)
    .action(async ({ overlay, statement, ...options }: Options) => {
      if (overlay === undefined) {
        const { quickstart } = await import('../quickstart/quickstart.ts');
        host.exit(await quickstart(host.context(), { ...options, statements: statement }));
      } else {
        const { overlayQuickstart } = await import('../quickstart/overlay-quickstart.ts');
        host.exit(await overlayQuickstart(host.context(), { portBase: options.portBase, overlays: overlay }));
      }
    });
}
