// SPDX-License-Identifier: Apache-2.0

import { writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import { base64, consistencyProof, findLine, inclusionProof } from '../bundle/proofs.ts';
import type { CommandHost } from '../context.ts';
import { integerArgument } from './arguments.ts';

type ProveOptions = { readonly bundle: string; readonly out?: string };
type ConsistencyOptions = { readonly from: number };

export function addProofCommands(program: Command, host: CommandHost): void {
  program
    .command('prove')
    .argument('<receipt>', 'a receipt id, an event id, an observation id, or the number of a leaf')
    .description('a proof that one line stands in the log, which any C2SP tool checks (.tlog-proof)')
    .requiredOption('--bundle <dir>', 'folder of the bundle that holds it')
    .option('--out <file>', 'write the proof there, and the line itself beside it as <file>.leaf')
    .action((receipt: string, options: ProveOptions) => prove(host, receipt, options));
  program
    .command('consistency')
    .argument('<bundles...>', 'folders of bundles that follow one another, the newest last')
    .description('a proof that the log of an older checkpoint is the beginning of the newest one (RFC 9162)')
    .requiredOption('--from <size>', 'leaves of the older checkpoint', integerArgument)
    .action((paths: readonly string[], options: ConsistencyOptions) => consistency(host, paths, options));
}

async function prove(host: CommandHost, receipt: string, options: ProveOptions): Promise<void> {
  const { output } = host.context();
  const bundle = await BundleFolder.open(options.bundle);
  const line = await findLine(bundle, receipt);
  const proof = await inclusionProof(bundle, line);
  if (options.out !== undefined) {
    await writeWhole(options.out, proof);
    // What an export hides can be proved by its hash alone.
    if (!line.isReplaced) await writeWhole(`${options.out}.leaf`, line.bytes);
  }
  const shown = options.out === undefined ? proof : `${options.out} proves leaf ${line.leaf} of ${bundle.head.origin}.`;
  output.result({ leaf: line.leaf, leaf_hash: line.hash, proof }, shown);
}

async function consistency(host: CommandHost, paths: readonly string[], { from }: ConsistencyOptions): Promise<void> {
  const bundles: BundleFolder[] = [];
  for (const path of paths) bundles.push(await BundleFolder.open(path));
  const found = await consistencyProof(bundles, from);
  const lines = found.proof.map((hash) => `${base64(hash)}\n`).join('');
  const text = `${found.from.size} ${base64(found.from.root)}\n${found.to.size} ${base64(found.to.root)}\n\n${lines}`;
  host.context().output.result({ from: found.from, to: found.to, proof: [...found.proof] }, text);
}
