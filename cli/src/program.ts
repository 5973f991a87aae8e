// SPDX-License-Identifier: Apache-2.0
import { Command } from 'commander';
import { type AddCommand, COMMAND_MODULES, type CommandModule } from './command-modules.ts';
import { type CommandHost, contextOf, type GlobalOptions, type Machine } from './context.ts';
import { EXIT_HELP } from './exit-codes.ts';

const DATA_DIR = '--data-dir';
const INTAKE = '--intake';
const JSON_OUTPUT = '--json';

/**
 * The command `clyra` with the commands that these arguments may mean. Commander's own exits become errors, so that
 * the program runs inside a test.
 */
export async function cliProgram(
  machine: Machine,
  exit: (code: number) => void,
  args: readonly string[],
): Promise<Command> {
  const program = new Command('clyra')
    .description('Data change firewall and flight recorder: guards changes, keeps evidence of every one.')
    .option(`${DATA_DIR} <dir>`, 'folder of the local installation (CLYRA_DATA_DIR; default .clyra)')
    .option(`${INTAKE} <url>`, 'address of intake (CLYRA_INTAKE_URL; default: what `up` started)')
    .option(JSON_OUTPUT, 'print one JSON value for machines instead of text for people')
    .version(await versionFor(args), '-V, --version', 'print the version, and the formats that it writes')
    .addHelpText('after', EXIT_HELP)
    .showHelpAfterError('(see --help)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => machine.stdout.write(text),
      // With --json the error is one value, which `runCli` prints.
      writeErr: (text) => void (asksForJson(args) || machine.stderr.write(text)),
    });
  const host: CommandHost = { context: () => contextOf(machine, program.opts<GlobalOptions>()), exit };
  for (const add of await commandsFor(args)) add(program, host);
  return program;
}

/** Before anything is parsed: what cannot be parsed is told in the form that was asked for too. */
export function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return (end < 0 ? args : args.slice(0, end)).includes(JSON_OUTPUT);
}

/** The formats that it names take as long to load as most commands to run. */
async function versionFor(args: readonly string[]): Promise<string> {
  const isAsked = args.some((arg) => arg === '--version' || /^-[A-Za-z]*V/.test(arg));
  return isAsked ? (await import('./version-text.ts')).versionText() : '';
}

/** All of them take four times as long to load as most commands to run, so only the one that is called is loaded. */
async function commandsFor(args: readonly string[]): Promise<readonly AddCommand[]> {
  const called = commandWord(args);
  const module = COMMAND_MODULES.find(
    ({ names, isAboutAll }) => called !== undefined && names.includes(called) && !isAboutAll,
  );
  const modules: readonly CommandModule[] = module === undefined ? COMMAND_MODULES : [module];
  return (await Promise.all(modules.map(({ load }) => load()))).flat();
}

/** The word that names the command; undefined where help is asked for, or anything that is not known here. */
function commandWord(args: readonly string[]): string | undefined {
  for (let index = 0; index < args.length; index += 1) {
    const word = args[index] ?? '';
    if (!word.startsWith('-')) return word;
    if (word === DATA_DIR || word === INTAKE) index += 1;
    else if (word !== JSON_OUTPUT && !word.startsWith(`${DATA_DIR}=`) && !word.startsWith(`${INTAKE}=`))
      return undefined;
  }
  return undefined;
}
