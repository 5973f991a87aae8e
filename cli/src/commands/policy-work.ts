// SPDX-License-Identifier: Apache-2.0
import { readCases } from '@clyra/core/enforcement/trial/case-table';
import { explainRoute } from '@clyra/core/enforcement/trial/explain-route';
import { replayJournal } from '@clyra/core/enforcement/trial/replay-journal';
import { runCases } from '@clyra/core/enforcement/trial/run-cases';
import { lintPolicy } from '@clyra/core/policy/compile-policy';
import { diffPolicies } from '@clyra/core/policy/diff-policies';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { casesInWords, diffInWords, lintInWords, replayInWords, routeInWords } from '../policy/in-words.ts';
import { readJournal } from '../policy/read-journal.ts';
import { type OverlayOptions, overlayOption, readOverlays } from '../policy/read-overlays.ts';
import { readText } from '../policy/read-text.ts';
import { compileFile } from './tenant.ts';

type DiffOptions = OverlayOptions & { readonly tenant?: string };

/** What an author does with a policy before anybody signs it. None of these changes anything. */
export function addPolicyWork(policy: Command, host: CommandHost): void {
  policy
    .command('lint')
    .argument('<file>', 'the policy in YAML')
    .addOption(overlayOption())
    .option('--strict', 'remarks count as problems')
    .description('name every problem and everything that is likely to be a mistake, with line and column')
    .action(async (file: string, options: OverlayOptions & { readonly strict?: true }) => {
      host.exit(await lint(host.context(), file, options));
    });
  policy
    .command('test')
    .argument('<file>', 'the policy in YAML')
    .argument('<cases>', 'a table of cases in YAML: given, when, then (docs/guides/policies.md)')
    .addOption(overlayOption())
    .option('--packs <folder>', 'detector packs of your intake (default: those that come with Clyra)')
    .description('run a table of cases through inspection and decider, and name what no case touches')
    .action(async (file: string, cases: string, options: OverlayOptions & { readonly packs?: string }) => {
      const compiled = await compileFile(file, options.overlay);
      const table = readCases(await readText(cases));
      // Only now: the other commands about policies need no parser.
      const { caseAnalysers } = await import('../policy/case-analysers.ts');
      const run = runCases(compiled, table, await caseAnalysers(compiled, options.packs));
      host.context().output.result({ ...run }, casesInWords(run));
      host.exit(run.results.every(({ passed }) => passed) ? EXIT.done : EXIT.refused);
    });
  policy
    .command('explain')
    .argument('<file>', 'the policy in YAML')
    .argument('<method>', 'such as POST')
    .argument('<path>', 'such as /refunds/17')
    .addOption(overlayOption())
    .description('say which route a request takes, and which rules hold there')
    .action(async (file: string, request: [string, string] | string, path: string, options: OverlayOptions) => {
      const { policy: compiled } = await compileFile(file, options.overlay);
      const explained = explainRoute(compiled, String(request).toUpperCase(), path);
      host.context().output.result({ ...(explained ?? { route: null, rules: [] }) }, routeInWords(explained));
      host.exit(explained === undefined ? EXIT.refused : EXIT.done);
    });
  addComparisons(policy, host);
}

function addComparisons(policy: Command, host: CommandHost): void {
  policy
    .command('diff')
    .argument('<before>', 'a policy in YAML')
    .argument('<after>', 'another one')
    .addOption(overlayOption())
    .description('list what changes, rule by rule, and what of it admits more; the overlays come to the second one')
    .action(async (before: string, after: string, options: DiffOptions) => {
      const first = await compileFile(before);
      const second = await compileFile(after, options.overlay);
      const changes = diffPolicies(first.policy, second.policy);
      const value = { before: first.digest, after: second.digest, changes: changes.map((change) => ({ ...change })) };
      host.context().output.result(value, diffInWords(changes));
    });
  policy
    .command('replay')
    .argument('<file>', 'the policy in YAML')
    .argument('<journal>', 'journal.jsonl of a bundle')
    .addOption(overlayOption())
    .description('decide a recorded journal anew under this policy, and list the decisions that would change')
    .action(async (file: string, journal: string, options: OverlayOptions) => {
      const { policy: compiled } = await compileFile(file, options.overlay);
      const replay = replayJournal(compiled, await readJournal(journal));
      const value = { ...replay, changed: replay.changed.map((one) => ({ ...one })) };
      host.context().output.result(value, replayInWords(replay));
    });
}

async function lint(
  context: Context,
  file: string,
  options: OverlayOptions & { readonly strict?: true },
): Promise<number> {
  const linted = lintPolicy(await readText(file), await readOverlays(options.overlay));
  const { problems, remarks, compiled } = linted;
  const value = {
    digest: compiled?.digest ?? null,
    problems: problems.map((problem) => ({ ...problem })),
    remarks: remarks.map((remark) => ({ ...remark })),
  };
  context.output.result(value, lintInWords(linted));
  if (problems.length > 0) return EXIT.wrongInput;
  return options.strict === true && remarks.length > 0 ? EXIT.refused : EXIT.done;
}
