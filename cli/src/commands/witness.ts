// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { verifierKey } from '@clyra/core/evidence/note';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { stopSignal } from '../stop-signal.ts';
import { WitnessServer } from '../witness/witness-server.ts';
import { WitnessState } from '../witness/witness-state.ts';
import { integerArgument } from './arguments.ts';

type WitnessCommandOptions = {
  readonly trustRoot: string;
  readonly key: string;
  readonly name: string;
  readonly dir: string;
  readonly host: string;
  readonly port: number;
};

export function addWitnessCommand(program: Command, host: CommandHost): void {
  program
    .command('witness')
    .description('run a witness: cosigns checkpoints that extend what it has seen (C2SP tlog-witness)')
    .requiredOption('--trust-root <file>', 'whose logs it witnesses: any tenant below its log origin')
    .requiredOption('--key <signer>', 'file, aws-kms:… or http(s)://… with the key of role witness')
    .requiredOption('--name <name>', 'in its note lines, as the trust root names it, e.g. witness.example/w1')
    .requiredOption('--dir <dir>', 'folder for the last checkpoint of each log; one witness for each folder')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 takes a free one', integerArgument, 8_099)
    .action(async (options: WitnessCommandOptions) => {
      host.exit(await runWitness(host.context(), options, stopSignal()));
    });
}

/** Resolves when `stop` aborts. */
export async function runWitness(context: Context, options: WitnessCommandOptions, stop: AbortSignal): Promise<number> {
  const { output, clock } = context;
  const signer = await openSigner(options.key);
  const trustRoot = parseTrustRoot(await readFile(options.trustRoot));
  const witness = await WitnessServer.start({
    name: options.name,
    signer,
    trustRoot,
    state: new WitnessState(options.dir),
    clock,
    host: options.host,
    port: options.port,
    say: (text) => output.progress(text),
  });
  const key = verifierKey(options.name, 'cosignature', signer.publicKey);
  const known = trustRoot.keys.get(signer.keyId)?.name === options.name;
  if (!known)
    output.progress('the trust root does not name this key as this witness yet: its cosignatures count nowhere');
  output.result(
    { url: witness.url, key_id: signer.keyId, vkey: key, in_trust_root: known },
    `witness ${options.name} listens on ${witness.url}\nkey ${signer.keyId}\nvkey ${key}`,
  );
  if (!stop.aborted) await once(stop, 'abort');
  await witness.stop();
  return EXIT.done;
}
