// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { openSigner } from '@clyra/adapter-signing/open-signer';
import { signTrustRoot } from '@clyra/adapter-signing/trust-root-file';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { readFirstTrustRoot, readNextTrustRoot, type TrustRootFiles } from '@clyra/core/signing/trust-root-rotation';
import { writeWhole } from '@clyra/runtime/whole-file';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { describeTrustRoot, tlogPolicy } from '../trust/describe-trust-root.ts';
import { readTrustDraft } from '../trust/trust-draft.ts';
import { envelopePath, readTrustFiles, writeTrustFiles } from '../trust/trust-files.ts';
import { firstVersion, nextVersion, withDraft, withRevocation } from '../trust/trust-versions.ts';
import { integerArgument, keyOption } from './arguments.ts';

type Signed = { readonly key: readonly string[] };
type Made = Signed & { readonly out: string };
type Next = Made & { readonly from: string; readonly validDays: number };

export function addTrustCommand(program: Command, host: CommandHost): void {
  const trust = program
    .command('trust')
    .description('trust roots: which key may sign what, and whose it is (docs/spec/trust.md)');
  const signing = (command: Command): Command =>
    command.addOption(keyOption('role root: a file, aws-kms:… or http(s)://…').makeOptionMandatory());
  const next = (command: Command): Command =>
    signing(command)
      .requiredOption('--from <file>', 'the version in use; its .dsse.json stands beside it')
      .requiredOption('--out <dir>', 'folder for trust-root-<version>.json and its envelope')
      .option('--valid-days <number>', 'until the new version expires', integerArgument, 365);
  signing(trust.command('new').argument('<draft>', 'JSON: who may sign what (docs/guides/trust.md)'))
    .requiredOption('--out <dir>', 'folder for trust-root-1.json and its envelope')
    .description('make version 1 from a draft and sign it')
    .action(async (draft: string, options: Made) => host.exit(await newTrustRoot(host.context(), draft, options)));
  trust
    .command('show')
    .argument('<file>', 'a trust root')
    .option('--tlog-policy <tenant>', "print the witness rule for a tenant's log as C2SP tlog-policy instead")
    .description('print a trust root for people')
    .action(async (file: string, options: { readonly tlogPolicy?: string }) => {
      host.exit(await showTrustRoot(host.context(), file, options.tlogPolicy));
    });
  next(trust.command('rotate').argument('<draft>', 'JSON: what is added'))
    .description('make the next version: adds what a draft names, keeps everything else')
    .action(async (draft: string, options: Next) => host.exit(await rotate(host.context(), draft, options)));
  next(trust.command('revoke').argument('<id>', 'key id, or name of a time authority'))
    .requiredOption('--reason <text>', 'why, in at most 256 characters')
    .option('--at <time>', 'since when it may be in other hands, as ISO 8601 (default: now)', timeArgument)
    .description('make the next version: revokes one key or time authority')
    .action(async (id: string, options: Next & { readonly reason: string; readonly at?: number }) => {
      host.exit(await revoke(host.context(), id, options));
    });
  signing(trust.command('sign').argument('<file>', 'a trust root; its .dsse.json stands beside it'))
    .description('add signatures: for those who hold the other root keys')
    .action(async (file: string, options: Signed) => host.exit(await sign(host.context(), file, options)));
  trust
    .command('check')
    .argument('<files...>', 'versions in order, the first one known to be right or version 1')
    .description('check signatures, thresholds and that each version may follow the one before')
    .action(async (files: readonly string[]) => host.exit(await check(host.context(), files)));
}

async function newTrustRoot(context: Context, path: string, options: Made): Promise<number> {
  const nowMs = context.clock.nowMs();
  const draft = await readTrustDraft(path, nowMs);
  const made = await firstVersion(draft, nowMs, await signersOf(options));
  return written(context, options.out, { made, read: () => readFirstTrustRoot(made) });
}

async function showTrustRoot({ output }: Context, path: string, tenant: string | undefined): Promise<number> {
  const root = parseTrustRoot(await readFile(path));
  if (tenant === undefined) output.result(summaryOf(root), describeTrustRoot(root));
  else output.result({ policy: tlogPolicy(root, tenant) }, tlogPolicy(root, tenant));
  return EXIT.done;
}

async function rotate(context: Context, path: string, options: Next): Promise<number> {
  const draft = await readTrustDraft(path, context.clock.nowMs());
  return makeNext(context, options, withDraft(draft));
}

async function revoke(
  context: Context,
  id: string,
  options: Next & { readonly reason: string; readonly at?: number },
): Promise<number> {
  return makeNext(context, options, withRevocation(id, options.at ?? context.clock.nowMs(), options.reason));
}

async function makeNext(context: Context, options: Next, change: ReturnType<typeof withDraft>): Promise<number> {
  const current = await readTrustFiles(options.from);
  const plan = { nowMs: context.clock.nowMs(), validDays: options.validDays, change };
  const made = await nextVersion(current.bytes, plan, await signersOf(options));
  return written(context, options.out, { made, read: () => readNextTrustRoot(current.bytes, made) });
}

async function sign({ output }: Context, path: string, options: Signed): Promise<number> {
  const files = await readTrustFiles(path);
  const root = parseTrustRoot(files.bytes);
  const signers = await signersOf(options);
  await writeWhole(envelopePath(path), await signTrustRoot(files, signers));
  const keyIds = signers.map(({ keyId }) => keyId);
  output.result({ ...summaryOf(root), signed_by: keyIds }, `signed version ${root.version} with ${keyIds.join(', ')}`);
  return EXIT.done;
}

async function check({ output }: Context, paths: readonly string[]): Promise<number> {
  const [first, ...rest] = await Promise.all(paths.map(readTrustFiles));
  if (first === undefined) return EXIT.wrongInput;
  // Only version 1 vouches for itself; a later one is where the reader stands already.
  let root = parseTrustRoot(first.bytes).version === 1 ? readFirstTrustRoot(first) : parseTrustRoot(first.bytes);
  let current = first;
  for (const next of rest) {
    root = readNextTrustRoot(current.bytes, next);
    current = next;
  }
  output.result(summaryOf(root), `version ${root.version} stands\ndigest ${root.digest}`);
  return EXIT.done;
}

type Making = { readonly made: TrustRootFiles; readonly read: () => TrustRoot };

/** A version that needs more signatures is written too: it goes to the others who sign. */
async function written({ output }: Context, folder: string, { made, read }: Making): Promise<number> {
  const missing = missingSignatures(read);
  const root = parseTrustRoot(made.bytes);
  const path = await writeTrustFiles(folder, root.version, made);
  const standing = missing ?? 'it stands: give it to readers, and compare the digest by another way';
  output.result(
    { ...summaryOf(root), path, complete: missing === undefined },
    `${path}\ndigest ${root.digest}\n${standing}`,
  );
  return EXIT.done;
}

function missingSignatures(read: () => TrustRoot): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof ClyraError && error.code === 'CLY_TRUST_ROOT_THRESHOLD') return error.message;
    throw error;
  }
}

function summaryOf(root: TrustRoot): { version: number; digest: string; log_origin: string; expires_at: number } {
  return { version: root.version, digest: root.digest, log_origin: root.logOrigin, expires_at: root.expiresAtMs };
}

function signersOf({ key }: Signed): Promise<readonly Signer[]> {
  return Promise.all(key.map((where) => openSigner(where)));
}

function timeArgument(value: string): number {
  const ms = Date.parse(value);
  if (Number.isNaN(ms)) throw new InvalidArgumentError('it is no time of ISO 8601');
  return ms;
}
