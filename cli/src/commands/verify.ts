// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { EXIT } from '../exit-codes.ts';

/**
 * The verifier runs as a process of its own: it shares nothing with the producer's code, not even memory, and
 * `clyra verify` is the same as the stand-alone program, options and exit codes included.
 */
export function addVerifyCommand(program: Command, host: CommandHost): void {
  program
    .command('verify')
    .summary('check an evidence bundle offline')
    .usage('[--trust-root F] [--policy P] [--mode head|full] [--previous CHECKPOINT] [--json] BUNDLE')
    .description(
      'Check an evidence bundle offline, with no other software of the producer.\n' +
        'Exit codes: 0 valid · 1 invalid · 2 malformed · 3 unsupported version · 4 policy not met · 5 cannot read',
    )
    .argument('[arguments...]', 'passed to the verifier as they are')
    .allowUnknownOption()
    .action(async (_args: readonly string[], _options: unknown, command: Command) => {
      const json = host.context().globals.json === true ? ['--json'] : [];
      host.exit(await verify([...json, ...command.args]));
    });
}

async function verify(args: readonly string[]): Promise<number> {
  const main = fileURLToPath(import.meta.resolve('@clyra/verifier/main'));
  const child = spawn(process.execPath, ['--conditions=@clyra/source', main, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code ?? EXIT.bug;
}
