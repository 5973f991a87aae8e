// SPDX-License-Identifier: Apache-2.0
import { access } from 'node:fs/promises';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import type { CommandHost } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { checkBlobs, type Inventory } from '../fsck/check-blobs.ts';
import { checkLog, type TenantLog } from '../fsck/check-log.ts';
import { checkExport, checkTiles } from '../fsck/check-views.ts';
import { DataFolder } from '../fsck/data-folder.ts';
import { type Finding, Findings } from '../fsck/finding.ts';
import { textTable } from '../text-table.ts';

type Options = {
  readonly trustRoot?: string;
  readonly tiles?: readonly string[];
  readonly export?: readonly string[];
};

export function addFsckCommand(program: Command, host: CommandHost): void {
  program
    .command('fsck')
    .argument('[folder]', 'folder of blobs (default: that of the local installation)')
    .description('re-derive everything that a data folder claims; exit code 1 where something contradicts it')
    .option('--trust-root <file>', 'trust root that the bundles are judged by (default: the local one)')
    .option('--tiles <dir...>', 'folders written by `export tiles`: compared with the lines')
    .option('--export <path...>', 'exports and .tar files made of the bundles: compared with them')
    .action((folder: string | undefined, options: Options) => fsck(host, folder, options));
}

async function fsck(host: CommandHost, path: string | undefined, options: Options): Promise<void> {
  const { layout, output } = host.context();
  const folder = new DataFolder(path ?? layout.blobDir);
  const findings = new Findings();
  const trustRootFile = options.trustRoot ?? ((await exists(layout.trustRootFile)) ? layout.trustRootFile : undefined);
  if (trustRootFile === undefined) findings.add('CLY_FSCK_NO_TRUST_ROOT', '.', 'no trust root was passed');
  const inventory = await checkBlobs(folder, findings);
  const logs: TenantLog[] = [];
  for (const files of inventory.tenants) {
    output.progress(`Verifying ${files.bundles.size} bundles of ${files.tenant}…`);
    logs.push(await checkLog(files, { folder, findings, trustRootFile }));
  }
  for (const tiles of options.tiles ?? []) await checkTiles(tiles, { logs, findings, trustRootFile });
  for (const one of options.export ?? []) await checkExport(one, { logs, findings, trustRootFile });
  output.result(asJson(folder, { logs, inventory, findings }), asText(folder, { logs, inventory, findings }));
  host.exit(findings.faults === 0 ? EXIT.done : EXIT.refused);
}

type Found = { readonly logs: readonly TenantLog[]; readonly inventory: Inventory; readonly findings: Findings };

function asJson(folder: DataFolder, { logs, inventory, findings }: Found): JsonObject {
  return {
    folder: folder.path,
    faults: findings.faults,
    logs: logs.map(({ tenant, leaves, bundles }) => ({ tenant, leaves, bundles: bundles.length })),
    blobs: Object.fromEntries(inventory.counts),
    findings: findings.all.map((finding) => ({ ...finding })),
  };
}

function asText(folder: DataFolder, { logs, inventory, findings }: Found): string {
  const rows = logs.map(({ tenant, leaves, bundles }) => [tenant, String(bundles.length), String(leaves)]);
  const counts = [...inventory.counts].map(([kind, count]) => `${count} ${kind}`).join(' · ');
  const list = findings.all.map(lineOf).join('');
  const conclusion =
    findings.faults === 0
      ? `Nothing contradicts what ${folder.path} claims.`
      : `${findings.faults} faults in ${folder.path}.`;
  return `${textTable(['tenant', 'bundles', 'leaves'], rows)}\nfiles: ${counts}\n${list}${conclusion}\n`;
}

function lineOf({ level, code, path, what, next }: Finding): string {
  return `${level === 'fault' ? '✗' : '–'} ${code}  ${path}: ${what}\n    ${next}\n`;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
