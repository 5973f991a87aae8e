// SPDX-License-Identifier: Apache-2.0
import type { Clock } from '@clyra/core/ports/clock';
import type { Random } from '@clyra/core/ports/random';
import { cliConfig } from './config.ts';
import { type LocalLayout, localLayout } from './local/layout.ts';
import { readSettings } from './local/settings.ts';
import { Output, type TextStream } from './output.ts';

/** What a command may touch of the machine; a test passes its own. */
export type Machine = {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly clock: Clock;
  readonly random: Random;
};

export type GlobalOptions = { readonly dataDir?: string; readonly intake?: string; readonly json?: boolean };

/** One call of the command line: options win over the environment, the environment over what `up` wrote down. */
export type Context = Machine & {
  readonly output: Output;
  readonly layout: LocalLayout;
  /** The options that were given, for commands that start something. */
  readonly globals: GlobalOptions;
  intakeUrl(): Promise<string>;
};

/** What a command needs of the program: its context, and a way to say how it ended without throwing. */
export type CommandHost = {
  context(): Context;
  exit(code: number): void;
};

export function contextOf(machine: Machine, globals: GlobalOptions): Context {
  const config = cliConfig();
  const layout = localLayout(globals.dataDir ?? config.dataDir);
  return {
    ...machine,
    globals,
    layout,
    output: new Output({ stdout: machine.stdout, stderr: machine.stderr, json: globals.json === true }),
    intakeUrl: async () =>
      globals.intake ?? config.intakeUrl ?? (await readSettings(layout))?.intake_url ?? DEFAULT_INTAKE,
  };
}

const DEFAULT_INTAKE = 'http://127.0.0.1:8081';
