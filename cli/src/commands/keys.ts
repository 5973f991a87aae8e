// SPDX-License-Identifier: Apache-2.0
import { createKeyFile } from '@clyra/adapter-signing/file-signer';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { verifierKey } from '@clyra/core/evidence/note';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import { readIfThere } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { stopSignal } from '../stop-signal.ts';
import { textTable } from '../text-table.ts';
import { type DelegateOptions, delegateKey } from '../trust/delegate-key.ts';
import { collect, integerArgument } from './arguments.ts';

export function addKeysCommand(program: Command, host: CommandHost): void {
  const keys = program.command('keys').description('keys: made once, never replaced, named by their hash');
  keys
    .command('new')
    .argument('<file>', 'PEM file to make, readable by its owner only')
    .option('--note-name <name>', 'also print it as a C2SP witness key of this name')
    .description('make a key and print its public part')
    .action(async (file: string, options: { readonly noteName?: string }) => {
      host.exit(await newKey(host.context(), file, options.noteName));
    });
  keys
    .command('list')
    .argument('<signers...>', 'files, aws-kms:… or http(s)://…')
    .option('--trust-root <file>', 'which says what each may sign (default: the local one, if there is one)')
    .description('print ids and roles of keys')
    .action(async (signers: readonly string[], options: { readonly trustRoot?: string }) => {
      host.exit(await listKeys(host.context(), signers, options.trustRoot));
    });
  keys
    .command('delegate')
    .argument('<signer>', 'the key of a process: file, aws-kms:… or http(s)://…')
    .requiredOption('--as <signer>', 'the key that lends its role: role delegator, and every role that it lends')
    .requiredOption('--tenant <tenant>', 'whose log takes it; repeat for more', collect)
    .requiredOption('--role <role>', 'intake, enforcer or recorder; repeat for more', collect)
    .option('--hours <number>', 'how long it is good', integerArgument, 24)
    .option('--renew', 'stay, and lend anew whenever half of the time is over')
    .description('lend roles of a KMS or HSM key to the key of a process, for a while')
    .action(async (signer: string, options: DelegateOptions) => {
      host.exit(await delegateKey(host.context(), signer, { ...options, stop: stopSignal() }));
    });
}

async function newKey({ output }: Context, file: string, noteName: string | undefined): Promise<number> {
  const { keyId, publicKey } = await createKeyFile(file);
  const encoded = Buffer.from(publicKey).toString('base64');
  const vkey = noteName === undefined ? undefined : verifierKey(noteName, 'cosignature', publicKey);
  output.result(
    { file, key_id: keyId, public_key: encoded, ...(vkey === undefined ? {} : { vkey }) },
    `${file}\nkey id     ${keyId}\npublic key ${encoded}${vkey === undefined ? '' : `\nvkey       ${vkey}`}`,
  );
  return EXIT.done;
}

async function listKeys({ output, layout }: Context, signers: readonly string[], path?: string): Promise<number> {
  const file = path ?? layout.trustRootFile;
  const bytes = await readIfThere(file);
  const root = bytes === undefined ? undefined : parseTrustRoot(bytes);
  const rows = await Promise.all(
    signers.map(async (where) => {
      const { keyId } = await openSigner(where);
      const known = root?.keys.get(keyId);
      return { where, key_id: keyId, roles: [...(known?.roles ?? [])], subject: known?.subject ?? null };
    }),
  );
  const cells = rows.map((row) => [
    row.key_id,
    row.roles.join(' ') || '–',
    row.subject ?? 'not in the trust root',
    row.where,
  ]);
  output.result(rows, textTable(['key', 'roles', 'who', 'signer'], cells));
  return EXIT.done;
}
