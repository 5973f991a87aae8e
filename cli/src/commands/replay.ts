// SPDX-License-Identifier: Apache-2.0
import { access, opendir } from 'node:fs/promises';
import { BodyKeys } from '@clyra/adapter-blob/body-keys';
import { BodyVault } from '@clyra/adapter-blob/body-vault';
import { FileBlobStore } from '@clyra/adapter-blob/file-blob-store';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject, JsonValue } from '@clyra/core/canonical/json-value';
import { type Replay, signReplay } from '@clyra/core/replay/replay-certificate';
import { readReplayKit } from '@clyra/core/replay/replay-kit';
import type { ReplayResult, ReplayTally } from '@clyra/core/replay/replay-tally';
import { writeWhole } from '@clyra/runtime/whole-file';
import { startCrm } from '@clyra/scenario-activation/crm-server';
import { type Command, Option } from 'commander';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import { EXPORTER } from '../bundle/cut-export.ts';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { databaseOf } from '../local/database-of.ts';
import { keyFileOf } from '../local/layout.ts';
import { secretFile, tenantSecret } from '../local/secret-file.ts';
import { readBytes } from '../policy/read-text.ts';
import { type BodySource, DocumentShelf } from '../replay/document-shelf.ts';

import { rebuildData } from '../replay/rebuild-data.ts';
import { reperformBundle } from '../replay/reperform-bundle.ts';
import { replayInWords } from '../replay/replay-words.ts';
import { collect, integerArgument } from './arguments.ts';

const STATEMENT_TIMEOUT_MS = 60_000;

type ReplayOptions = {
  readonly previous?: readonly string[];
  readonly trustRoot?: readonly string[];
  readonly artifacts?: string;
  readonly out?: string;
  readonly key?: string;
  readonly data?: string;
  readonly bodyKeys?: string;
  readonly scratch?: string;
  readonly upstream?: string;
  readonly sizeMax: number;
  readonly minutesMax: number;
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
      'Fold the journal of a bundle again with the engine that it names and compare every body byte for byte;\n' +
        'with --data repeat its changes in a scratch database instead and compare what they leave behind.\n' +
        'Exit codes: 0 success · 1 failed: something differs · 4 partial: something could not be compared',
    )
    .option('--previous <bundle>', 'the bundle before it, where its opening state is not at hand; repeat', collect)
    .option('--trust-root <file>', 'trust root that it names; repeat for versions (default: the local one)', collect)
    .option('--artifacts <dir>', 'documents that are not in the bundle: a folder by digest, or a blob store')
    .option('--out <file>', 'write the signed replay certificate (inside a bundle its name is replay.dsse.json)')
    .option('--key <signer>', 'key of role attestor that signs it (default: the local attestor)')
    .option('--data <kit>', 'file of `clyra replay-kit`: repeat the changes')
    .option('--body-keys <dir>', 'keys of the bodies that intake stored in the blob store of --artifacts')
    .option('--scratch <url>', 'server for the scratch databases, as superuser (default: that of `up`)')
    .addOption(new Option('--upstream <name>', 'test endpoint that takes the requests').choices(['crm']))
    .option('--size-max <megabytes>', 'a scratch database may have', integerArgument, 1_024)
    .option('--minutes-max <minutes>', 'the repetition may take', integerArgument, 30)
    .action(async (path: string, options: ReplayOptions) => {
      host.exit(await replay(host.context(), path, options));
    });
}

async function replay(context: Context, path: string, options: ReplayOptions): Promise<number> {
  const bundle = await BundleFolder.open(path);
  await requireNamed(options);
  const kind = options.data === undefined ? 'reperformance' : 'data';
  const tally = kind === 'data' ? await rebuild(context, bundle, options) : await reperform(context, bundle, options);
  const outcome = tally.outcome();
  await writeCertificate(context, { kind, bundle, outcome }, options);
  context.output.result(
    {
      ...{ kind, manifest_digest: bundle.manifestDigest, ...(outcome as unknown as JsonObject) },
      names_not_compared: tally.named as unknown as JsonValue,
    },
    replayInWords(`${kind === 'data' ? 'Data replay' : 'Re-performance'} of ${bundle.path}`, outcome, tally.named),
  );
  return EXIT_OF[outcome.result];
}

/** What is not there would only make more of the bundle incomparable: a wrong path is said, and not taken for that. */
async function requireNamed({ trustRoot = [], artifacts, bodyKeys }: ReplayOptions): Promise<void> {
  for (const file of trustRoot) await access(file);
  for (const folder of [artifacts, bodyKeys]) if (folder !== undefined) await (await opendir(folder)).close();
}

async function reperform(context: Context, bundle: BundleFolder, options: ReplayOptions): Promise<ReplayTally> {
  const previous: BundleFolder[] = [];
  for (const one of options.previous ?? []) previous.push(await BundleFolder.open(one));
  const roots = options.trustRoot ?? [context.layout.trustRootFile];
  return reperformBundle({ bundle, previous, shelf: await DocumentShelf.open(roots, options.artifacts) });
}

async function rebuild(context: Context, bundle: BundleFolder, options: ReplayOptions): Promise<ReplayTally> {
  const kitBytes = await readBytes(options.data ?? '');
  const kit = readReplayKit(kitBytes);
  const tally = await rebuildData({
    bundle,
    kit,
    shelf: new DocumentShelf([], options.artifacts, vaultOf(context, options)),
    key: await tenantSecret(context, secretFile(context, `snapshot-${kit.tenant}`)),
    scratch: {
      admin: databaseOf(context, options.scratch),
      sizeBytesMax: options.sizeMax * 1_048_576,
      statementTimeoutMs: STATEMENT_TIMEOUT_MS,
      deadlineMs: options.minutesMax * 60_000,
    },
    startEndpoint:
      options.upstream === 'crm' ? (connection) => startCrm({ connection, host: '127.0.0.1', port: 0 }) : undefined,
    random: context.random,
  });
  tally.input(digestOf(kitBytes));
  return tally;
}

function vaultOf(context: Context, { artifacts, bodyKeys }: ReplayOptions): BodySource | undefined {
  if (artifacts === undefined || bodyKeys === undefined) return undefined;
  return new BodyVault(new FileBlobStore(artifacts), new BodyKeys(bodyKeys, context.random));
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
