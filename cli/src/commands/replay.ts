// SPDX-License-Identifier: Apache-2.0
import { openSigner } from '@clyra/adapter-signing/open-signer';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { type Replay, signReplay } from '@clyra/core/replay/replay-certificate';
import type { ReplayResult } from '@clyra/core/replay/replay-tally';
import type { Command } from 'commander';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import { EXPORTER } from '../bundle/cut-export.ts';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { keyFileOf } from '../local/layout.ts';
import { writeWhole } from '../local/write-file.ts';
import { DocumentShelf } from '../replay/document-shelf.ts';

import { reperformBundle } from '../replay/reperform-bundle.ts';
import { replayInWords } from '../replay/replay-words.ts';
import { collect } from './arguments.ts';

type ReplayOptions = {
  readonly previous?: readonly string[];
  readonly trustRoot?: readonly string[];
  readonly artifacts?: string;
  readonly out?: string;
  readonly key?: string;
};

const EXIT_OF: Readonly<Record<ReplayResult, number>> = {
  success: EXIT.done,
  partial: EXIT.partial,
  failed: EXIT.refused,
};

export function addReplayCommand(program: Command, host: CommandHost): void {
  program
    .command('replay')
    .argument('<bundle>', 'folder of a bundle')
    .summary('do again what a bundle says, and compare')
    .description(
      'Fold the journal of a bundle again with the engine that it names and compare every body byte for byte.\n' +
        'Exit codes: 0 success · 1 failed: something differs · 4 partial: something could not be compared',
    )
    .option(
      '--previous <bundle>',
      'the bundle before it, where its opening state is not at hand; repeat in order',
      collect,
    )
    .option(
      '--trust-root <file>',
      'trust root that the bundle names; repeat for versions (default: the local one)',
      collect,
    )
    .option('--artifacts <dir>', 'documents that are not in the bundle: a folder by digest, or a blob store')
    .option('--out <file>', 'write the signed replay certificate (inside a bundle its name is replay.dsse.json)')
    .option('--key <signer>', 'key of role attestor that signs it (default: the local attestor)')
    .action(async (path: string, options: ReplayOptions) => {
      host.exit(await reperform(host.context(), path, options));
    });
}

async function reperform(context: Context, path: string, options: ReplayOptions): Promise<number> {
  const bundle = await BundleFolder.open(path);
  const previous: BundleFolder[] = [];
  for (const one of options.previous ?? []) previous.push(await BundleFolder.open(one));
  const roots = options.trustRoot ?? [context.layout.trustRootFile];
  const shelf = await DocumentShelf.open(roots, options.artifacts);
  const outcome = (await reperformBundle({ bundle, previous, shelf })).outcome();
  await writeCertificate(context, { kind: 'reperformance', bundle, outcome }, options);
  context.output.result(
    { kind: 'reperformance', manifest_digest: bundle.manifestDigest, ...(outcome as unknown as JsonObject) },
    replayInWords(`Re-performance of ${bundle.path}`, outcome),
  );
  return EXIT_OF[outcome.result];
}

type Made = Pick<Replay, 'kind' | 'outcome'> & { readonly bundle: BundleFolder };

async function writeCertificate(context: Context, made: Made, { out, key }: ReplayOptions): Promise<void> {
  if (out === undefined) return;
  const signer = await openSigner(key ?? keyFileOf(context.layout, 'attestor'));
  const { manifest, manifestDigest, head } = made.bundle;
  const { origin, range } = head;
  const bundle = { manifestDigest, origin, range, engine: manifest['engine'] as number };
  await writeWhole(out, await signReplay({ ...made, bundle, performer: EXPORTER }, signer));
  context.output.progress(`${out} is the signed certificate.`);
}
