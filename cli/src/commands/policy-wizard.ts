// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { ClyraError } from '@clyra/core/kernel/error';
import { lintPolicy } from '@clyra/core/policy/compile-policy';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { lintInWords } from '../policy/in-words.ts';
import { type Asker, askAnswers } from '../policy/wizard/ask-answers.ts';
import { policyText } from '../policy/wizard/policy-text.ts';
import { DEFAULTS, READERS, readRoute, type WizardAnswers, type WizardRoute } from '../policy/wizard/wizard-answers.ts';
import { collect } from './arguments.ts';

type Options = Partial<Omit<WizardAnswers, 'routes' | 'perHour' | 'idps'>> & {
  readonly out: string;
  readonly force?: true;
  readonly route?: readonly string[];
  readonly idp?: readonly string[];
  readonly perHour?: string;
};

export function addPolicyWizard(policy: Command, host: CommandHost): void {
  policy
    .command('wizard')
    .description('write a first policy with a comment on every section; asks, unless --route answers')
    .option('--out <file>', 'where it is written', 'policy.yaml')
    .option('--force', 'write over a file that is there')
    .option('--name <name>', 'what people call it', 'my-policy')
    .option('--mode <mode>', 'gate or review', DEFAULTS.mode)
    .option('--route <route>', 'METHOD /path upstream [plain|money|bulk|deploy]; repeat for more', collect)
    .option('--tenant-in <pointer>', 'where bodies name the tenant')
    .option('--amount <pointer>', 'where the amount stands', DEFAULTS.amount)
    .option('--currency <currency>', 'a code, or where it stands', DEFAULTS.currency)
    .option('--approve-above <amount>', 'a person approves larger amounts', DEFAULTS.approveAbove)
    .option('--two-above <amount>', 'two people approve larger amounts', DEFAULTS.twoAbove)
    .option('--idp <domain>', 'who may vouch for approvers; repeat for more', collect)
    .option('--no-mfa', 'approvers need no second factor')
    .option('--per-hour <count>', 'requests of one actor in an hour', String(DEFAULTS.perHour))
    .option('--break-glass', 'an operator may let something through alone in an emergency')
    .action(async (options: Options) => {
      await runWizard(host.context(), options);
    });
}

async function runWizard(context: Context, options: Options): Promise<void> {
  const answers =
    options.route === undefined ? await askHere(context) : answersOf(options, options.route.map(readRoute));
  const text = policyText(answers);
  const linted = lintPolicy(text);
  if (linted.compiled === undefined) {
    throw new ClyraError('CLY_POLICY_INVALID', `these answers make no policy:\n${lintInWords(linted)}`, {
      retry: 'never',
    });
  }
  await writeFile(options.out, text, { flag: options.force === true ? 'w' : 'wx' }).catch(
    (cause: NodeJS.ErrnoException) => {
      const why =
        cause.code === 'EEXIST'
          ? 'is there already: name another with --out, or add --force'
          : `cannot be written (${cause.code})`;
      throw new ClyraError('CLY_CLI_FILE', `${options.out} ${why}`, { retry: 'never', cause });
    },
  );
  const { digest } = linted.compiled;
  context.output.result(
    { file: options.out, digest, routes: answers.routes.length, remarks: linted.remarks.length },
    [
      `✓ ${options.out}: ${answers.routes.length} routes, digest ${digest}`,
      `  Read it, then: clyra policy lint ${options.out}`,
      `  In force:      clyra policy apply ${options.out} --tenant TENANT`,
    ].join('\n'),
  );
}

function answersOf(options: Options, routes: readonly WizardRoute[]): WizardAnswers {
  return {
    name: READERS.name(options.name ?? ''),
    mode: READERS.mode(options.mode ?? ''),
    routes,
    tenantIn: READERS.tenantIn(options.tenantIn ?? ''),
    amount: READERS.amount(options.amount ?? ''),
    currency: READERS.currency(options.currency ?? ''),
    approveAbove: READERS.decimal(options.approveAbove ?? ''),
    twoAbove: READERS.decimal(options.twoAbove ?? ''),
    idps: (options.idp ?? []).flatMap(READERS.idps),
    mfa: options.mfa !== false,
    perHour: READERS.count(options.perHour ?? ''),
    breakGlass: options.breakGlass === true,
  };
}

/** Line by line from standard input, so that a file of answers does as well as a person. */
async function askHere({ output }: Context): Promise<WizardAnswers> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const iterator = lines[Symbol.asyncIterator]();
  const ask: Asker = async (question) => {
    output.progress(question);
    const { done, value } = await iterator.next();
    return done === true ? undefined : value;
  };
  try {
    return await askAnswers(ask, (line) => output.progress(line));
  } finally {
    lines.close();
  }
}
