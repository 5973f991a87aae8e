// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { CommanderError } from 'commander';
import type { GlobalOptions, Machine } from './context.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { fileFailure } from './file-failure.ts';
import { Output } from './output.ts';
import { asksForJson, cliProgram } from './program.ts';

/** Runs one command line and gives its exit code. Known failures are told to people; a bug keeps its stack. */
export async function runCli(args: readonly string[], machine: Machine): Promise<number> {
  let exitCode: number = EXIT.done;
  const onExit = (code: number): void => {
    exitCode = code;
  };
  const program = await cliProgram(machine, onExit, args);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCode;
  } catch (failure) {
    if (failure instanceof CommanderError) return ofArguments(failure, machine, args);
    const { json = false } = program.opts<GlobalOptions>();
    const output = new Output({ ...machine, json });
    const known = failure instanceof ClyraError ? failure : fileFailure(failure);
    if (known !== undefined) output.failure(known);
    else machine.stderr.write(`clyra: this is a bug; please report it with these lines\n${stackOf(failure)}\n`);
    return exitCodeOf(known ?? failure);
  }
}

/** People were told already, with the help that belongs to it; machines were not (`cliProgram`). */
function ofArguments(failure: CommanderError, machine: Machine, args: readonly string[]): number {
  if (failure.exitCode === 0) return EXIT.done;
  if (asksForJson(args)) {
    const message = failure.code.startsWith('commander.help') ? 'name a command: see --help' : failure.message;
    new Output({ ...machine, json: true }).failure({ code: 'CLY_CLI_ARGUMENT', message });
  }
  return EXIT.wrongInput;
}

function stackOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
