// SPDX-License-Identifier: Apache-2.0
import { readFile, writeFile } from 'node:fs/promises';
import { makeSealingKey, openSealed, sealingKeyOf, sealTo } from '@clyra/adapter-sealing/sealed-box';
import { encodeDisclosures } from '@clyra/core/disclosure/disclosures';
import { ClyraError } from '@clyra/core/kernel/error';
import { writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import { BundleFolder } from '../bundle/bundle-folder.ts';
import { discloseBundle, readSecret } from '../bundle/disclose-bundle.ts';
import type { CommandHost } from '../context.ts';

type MakeOptions = {
  readonly values: string;
  readonly key: readonly string[];
  readonly out: string;
  readonly pointer?: readonly string[];
  readonly leaf?: readonly string[];
  readonly sealTo?: string;
};
type OpenOptions = { readonly key: string; readonly out: string };

const repeated = (value: string, before: readonly string[] | undefined): readonly string[] => [
  ...(before ?? []),
  value,
];

export function addDiscloseCommand(program: Command, host: CommandHost): void {
  const command = program
    .command('disclose')
    .description('show an auditor values that stand in a bundle as commitments');
  command
    .command('make')
    .argument('<bundle>', 'folder of a bundle or an export')
    .description('the disclosures that kept values give for a bundle (docs/spec/disclosure.md)')
    .requiredOption('--values <file>', 'the kept values')
    .requiredOption('--key <epoch=file>', 'evidence key of an epoch, 32 bytes; repeat for more epochs', repeated)
    .requiredOption('--out <file>', 'where to write them')
    .option('--pointer <pointer>', 'only values at this place of a body; repeat for more', repeated)
    .option('--leaf <number>', 'only of this leaf; repeat for more', repeated)
    .option('--seal-to <key>', 'seal them to this public key (base64, as `disclose keygen` prints it)')
    .action((path: string, options: MakeOptions) => make(host, path, options));
  command
    .command('open')
    .argument('<sealed>', 'sealed disclosures')
    .description('open disclosures that were sealed to your key')
    .requiredOption('--key <file>', 'your secret key')
    .requiredOption('--out <file>', 'where to write them')
    .action((path: string, options: OpenOptions) => openFile(host, path, options));
  command
    .command('keygen')
    .description('make a key to which disclosures can be sealed; prints its public half')
    .requiredOption('--out <file>', 'where to write the secret half; the file must not exist')
    .action((options: { readonly out: string }) => keygen(host, options.out));
}

async function make(host: CommandHost, path: string, options: MakeOptions): Promise<void> {
  const bundle = await BundleFolder.open(path);
  const { values, key: keys, pointer: pointers = [], leaf = [] } = options;
  const found = await discloseBundle(bundle, { values, keys, pointers, leaves: leaf.map(Number) });
  const bytes = encodeDisclosures(found.disclosures);
  const recipient = options.sealTo === undefined ? undefined : Buffer.from(options.sealTo, 'base64');
  await writeWhole(options.out, recipient === undefined ? bytes : sealTo(recipient, bytes), 0o600);
  const count = found.disclosures.length;
  host
    .context()
    .output.result(
      { out: options.out, disclosed: count, withheld: found.closed },
      `${options.out} discloses ${count} values; ${found.closed} commitments of the bundle stay closed.`,
    );
}

async function openFile(host: CommandHost, path: string, options: OpenOptions): Promise<void> {
  const key = sealingKeyOf(Buffer.from((await readSecret(options.key)).toString('utf8').trim(), 'base64'));
  const bytes = openSealed(await readFile(path), key);
  await writeWhole(options.out, bytes, 0o600);
  host.context().output.result({ out: options.out }, `${options.out} holds the disclosures.`);
}

async function keygen(host: CommandHost, path: string): Promise<void> {
  const { publicKey, secretKey } = makeSealingKey();
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  try {
    await writeFile(path, `${text(secretKey)}\n`, { flag: 'wx', mode: 0o600 });
  } catch (cause) {
    throw new ClyraError('CLY_KEY_FILE', `${path} cannot be written: keys are never replaced`, {
      retry: 'never',
      cause,
    });
  }
  host.context().output.result({ out: path, public_key: text(publicKey) }, text(publicKey));
}
