// SPDX-License-Identifier: Apache-2.0

import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import type { Command } from 'commander';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import type { CommandHost } from '../context.ts';
import { bundlePage } from '../inspect/bundle-page.ts';
import { readJournal } from '../inspect/read-journal.ts';

type InspectOptions = { readonly out: string; readonly trustRoot?: string; readonly policy?: string };

export function addInspectCommand(program: Command, host: CommandHost): void {
  program
    .command('inspect')
    .argument('<bundle>', 'folder of a bundle or an export')
    .description('a bundle as one readable page: claims, decisions, findings, coverage, figures')
    .requiredOption('--out <file>', 'the HTML page to write; it loads nothing and runs no script')
    .option('--trust-root <file>', 'judge signatures by this trust root (default: the local one, if there is one)')
    .option('--policy <file>', 'verification policy')
    .action((path: string, options: InspectOptions) => inspect(host, path, options));
}

async function inspect(host: CommandHost, path: string, options: InspectOptions): Promise<void> {
  const { layout, output } = host.context();
  const bundle = await BundleFolder.open(path);
  const local = (await readIfThere(layout.trustRootFile)) === undefined ? undefined : layout.trustRootFile;
  const trustRootFile = options.trustRoot ?? local;
  const report = await verifyBundle({
    directory: bundle.path,
    mode: 'full',
    ...(trustRootFile === undefined ? {} : { trustRootFile }),
    ...(options.policy === undefined ? {} : { policyFile: options.policy }),
  });
  await writeWhole(options.out, bundlePage(bundle, await readJournal(bundle), report));
  output.result(
    { out: options.out, verdict: report.verdict },
    `${options.out} shows ${bundle.path}; the verifier says: ${report.verdict.replaceAll('_', ' ')}.`,
  );
}
