// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import { verifyEd25519 } from '@clyra/core/signing/ed25519';
import { ATTESTATION_TYPE, pae } from '@clyra/core/signing/pae';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import { readIfThere, writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import { BundleFolder, notBundle } from '../bundle/bundle-folder.ts';
import { sumsOf, writeTar } from '../bundle/container.ts';
import { cutExport, runSelection } from '../bundle/cut-export.ts';
import { writeTiles } from '../bundle/tiles.ts';
import type { CommandHost } from '../context.ts';
import { keyFileOf } from '../local/layout.ts';

type OutOption = { readonly out: string };
type RunOptions = OutOption & { readonly key?: string };
type SigstoreOptions = OutOption & { readonly trustRoot?: string };

export function addExportCommand(program: Command, host: CommandHost): void {
  const command = program
    .command('export')
    .description('views of bundles for others: one run, foreign tools, one file');
  command
    .command('run')
    .argument('<run-id>')
    .argument('<bundle>', 'folder of a bundle')
    .description('the lines of one run under the same root: other lines are replaced by their hashes')
    .requiredOption('--out <dir>', 'a folder that does not exist yet')
    .option('--key <file>', 'PEM key of role bundler or operator that signs it (default: the local operator)')
    .action((runId: string, path: string, options: RunOptions) => exportRun(host, { runId, path }, options));
  command
    .command('sigstore')
    .argument('<bundle>', 'folder of a bundle')
    .description('a Sigstore v0.3 bundle of its envelope, for cosign verify-blob-attestation')
    .requiredOption('--out <file>', 'where to write it')
    .option('--trust-root <file>', 'trust root that has the signing key (default: the local one)')
    .action((path: string, options: SigstoreOptions) => exportSigstore(host, path, options));
  command
    .command('tiles')
    .argument('<bundles...>', 'folders of all bundles of a log, from leaf 0 on, in order')
    .description('C2SP tlog-tiles of the whole log, for Tessera’s fsck and other tile readers')
    .requiredOption('--out <dir>', 'where to write them')
    .action((paths: readonly string[], options: OutOption) => exportTiles(host, paths, options));
  command
    .command('sums')
    .argument('<bundle>', 'folder of a bundle')
    .description('SHA256SUMS of its files, for sha256sum -c')
    .action((path: string) => exportSums(host, path));
  command
    .command('tar')
    .argument('<bundle>', 'folder of a bundle')
    .description('the bundle as one file: the same bytes on every machine')
    .requiredOption('--out <file>', 'a file that does not exist yet')
    .action((path: string, options: OutOption) => exportTar(host, path, options));
}

async function exportRun(host: CommandHost, of: { runId: string; path: string }, options: RunOptions): Promise<void> {
  const { layout, output } = host.context();
  const bundle = await BundleFolder.open(of.path);
  const signer = await fileSigner(options.key ?? keyFileOf(layout, 'operator'));
  const selection = await runSelection(bundle, of.runId);
  const made = await cutExport({ bundle, selection, signer, to: options.out });
  output.result(
    { out: options.out, shown: made.shown, replaced: made.replaced, manifest_digest: made.manifestDigest },
    `${options.out} shows ${made.shown} lines of run ${of.runId} and what it needs; ${made.replaced} stand as hashes.`,
  );
}

async function exportSigstore(host: CommandHost, path: string, options: SigstoreOptions): Promise<void> {
  const { layout, output } = host.context();
  const bundle = await BundleFolder.open(path);
  const envelope = parseJson(await bundle.file('manifest.dsse.json'), {
    bytesMax: 1_048_576,
    depthMax: 8,
    valuesMax: 64,
  });
  if (!isJsonObject(envelope)) throw notBundle(path, 'its envelope is no object');
  const hint = await hintOfSigner(envelope, options.trustRoot ?? layout.trustRootFile);
  const view = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint } },
    dsseEnvelope: envelope,
  };
  await writeWhole(options.out, `${JSON.stringify(view)}\n`);
  output.result({ out: options.out, hint }, `${options.out} is a Sigstore bundle of ${bundle.path}.`);
}

/** Base64 of the digest of the signer's public key, by which Sigstore's tools name it. */
async function hintOfSigner(envelope: JsonObject, trustRootFile: string): Promise<string> {
  const bytes = await readIfThere(trustRootFile);
  if (bytes === undefined) throw argument(`${trustRootFile} does not exist: name the trust root with --trust-root`);
  const signatures = envelope['signatures'];
  const first = Array.isArray(signatures) ? signatures[0] : undefined;
  const sig = Buffer.from(isJsonObject(first) ? String(first['sig']) : '', 'base64');
  const signed = pae(ATTESTATION_TYPE, Buffer.from(String(envelope['payload']), 'base64'));
  for (const { keyObject } of parseTrustRoot(bytes).keys.values()) {
    if (!verifyEd25519(keyObject, signed, sig)) continue;
    return createHash('sha256')
      .update(keyObject.export({ type: 'spki', format: 'der' }))
      .digest('base64');
  }
  throw argument('no key of the trust root signed the envelope: verify the bundle first');
}

async function exportTiles(host: CommandHost, paths: readonly string[], options: OutOption): Promise<void> {
  const bundles: BundleFolder[] = [];
  for (const path of paths) bundles.push(await BundleFolder.open(path));
  const leaves = await writeTiles(bundles, options.out);
  host
    .context()
    .output.result({ out: options.out, leaves }, `${join(options.out, 'tile')} holds the tiles of ${leaves} leaves.`);
}

async function exportSums(host: CommandHost, path: string): Promise<void> {
  const sums = await sumsOf(await BundleFolder.open(path));
  host.context().output.result({ sums }, sums);
}

async function exportTar(host: CommandHost, path: string, options: OutOption): Promise<void> {
  const bundle = await BundleFolder.open(path);
  await writeTar(bundle, options.out);
  host.context().output.result({ out: options.out }, `${options.out} is ${bundle.path} as one file.`);
}

function argument(what: string): ClyraError {
  return new ClyraError('CLY_CLI_ARGUMENT', what, { retry: 'never' });
}
