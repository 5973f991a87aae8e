// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { CommanderError } from 'commander';
import type { GlobalOptions, Machine } from './context.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';
import { Output } from './output.ts';
import { cliProgram } from './program.ts';

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
    if (failure instanceof CommanderError) return failure.exitCode === 0 ? EXIT.done : EXIT.wrongInput;
    const { json = false } = program.opts<GlobalOptions>();
    const output = new Output({ ...machine, json });
    if (failure instanceof ClyraError) output.failure(failure);
    else machine.stderr.write(`clyra: this is a bug; please report it with these lines\n${stackOf(failure)}\n`);
    return exitCodeOf(failure);
  }
}

function stackOf(failure: unknown): string {
  return failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
}
