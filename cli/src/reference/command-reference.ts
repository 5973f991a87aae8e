// SPDX-License-Identifier: Apache-2.0
import type { Argument, Command, Option } from 'commander';
import { EXIT_HELP } from '../exit-codes.ts';

const INTRODUCTION = `# Commands

Written by \`clyra reference cli\` from the program's own help; a test compares them. Do not edit.

Options before the command hold for all of them. From a checkout the program is \`cli/bin/clyra\`.
`;

/** The text of docs/reference/cli.md. */
export function commandReference(program: Command): string {
  const commands = leavesOf(program, []);
  return [
    INTRODUCTION,
    optionTable(program),
    `\n\`\`\`\n${EXIT_HELP.trim()}\n\`\`\`\n`,
    ...commands.map(commandText),
  ].join('');
}

type Leaf = { readonly words: readonly string[]; readonly command: Command };

function leavesOf(command: Command, words: readonly string[]): Leaf[] {
  const help = command.createHelp();
  const inner = help.visibleCommands(command).filter((one) => one.name() !== 'help');
  const path = [...words, command.name()];
  return inner.length === 0 ? [{ words: path, command }] : inner.flatMap((one) => leavesOf(one, path));
}

function commandText({ words, command }: Leaf): string {
  const usage = `${words.join(' ')} ${command.usage()}`.trim();
  const heading = `\n## ${words.join(' ')}\n\n\`\`\`\n${usage}\n\`\`\`\n\n${command.description()}\n`;
  return [heading, argumentList(command), optionTable(command)].join('');
}

function argumentList(command: Command): string {
  const described = command.registeredArguments.filter(({ description }: Argument) => description !== '');
  const lines = described.map((argument) => `- \`${argument.name()}\`: ${argument.description}\n`);
  return lines.length === 0 ? '' : `\n${lines.join('')}`;
}

function optionTable(command: Command): string {
  const options = command
    .createHelp()
    .visibleOptions(command)
    .filter(({ long }: Option) => long !== '--help');
  if (options.length === 0) return '';
  const rows = options.map((option) => `| \`${cell(option.flags)}\` | ${cell(meaningOf(option))} |\n`);
  return `\n| option | what it does |\n|---|---|\n${rows.join('')}`;
}

function meaningOf(option: Option): string {
  const required = option.mandatory ? ' (required)' : '';
  const fallback = option.defaultValue === undefined ? '' : ` (default: ${String(option.defaultValue)})`;
  return `${option.description}${required}${fallback}`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
