// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { fileSigner } from '@clyra/adapter-signing/file-signer';
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { encodeDisclosures, parseDisclosures } from '@clyra/core/disclosure/disclosures';
import { ClyraError } from '@clyra/core/kernel/error';
import { writeWhole } from '@clyra/runtime/whole-file';
import type { Command } from 'commander';
import { BundleFolder, type BundleLine } from '../bundle/bundle-folder.ts';
import { cutExport } from '../bundle/cut-export.ts';
import type { CommandHost } from '../context.ts';
import { keyFileOf } from '../local/layout.ts';

type RedactOptions = {
  readonly withhold: readonly string[];
  readonly out: string;
  readonly key?: string;
  readonly disclosures?: string;
  readonly disclosuresOut?: string;
};

const WITHHELD = /^(?:run|event|leaf):.+$/;

export function addRedactCommand(program: Command, host: CommandHost): void {
  program
    .command('redact')
    .argument('<bundle>', 'folder of a bundle or an export')
    .description('a copy in which some lines stand as hashes only: the root is the same')
    .requiredOption(
      '--withhold <what>',
      'run:<id>, event:<id> or leaf:<number>; repeat for more',
      (value: string, before: readonly string[] | undefined) => [...(before ?? []), withheld(value)],
    )
    .requiredOption('--out <dir>', 'a folder that does not exist yet')
    .option('--key <file>', 'PEM key of role bundler or operator that signs it (default: the local operator)')
    .option('--disclosures <file>', 'disclosures of the bundle, of which those of withheld lines are left out')
    .option('--disclosures-out <file>', 'where to write what is left of them')
    .action((path: string, options: RedactOptions) => redact(host, path, options));
}

function withheld(value: string): string {
  if (WITHHELD.test(value)) return value;
  throw new ClyraError('CLY_CLI_ARGUMENT', `${value}: withhold run:<id>, event:<id> or leaf:<number>`, {
    retry: 'never',
  });
}

async function redact(host: CommandHost, path: string, options: RedactOptions): Promise<void> {
  const { layout, output } = host.context();
  const bundle = await BundleFolder.open(path);
  const signer = await fileSigner(options.key ?? keyFileOf(layout, 'operator'));
  const wanted = new Set(options.withhold);
  const hidden = new Set<number>();
  const keeps = (line: BundleLine): boolean => {
    const isHidden = marksOf(line).some((mark) => wanted.has(mark));
    if (isHidden) hidden.add(line.leaf);
    return !isHidden;
  };
  requireCutStays(bundle, wanted);
  const made = await cutExport({ bundle, selection: { scope: { kind: 'selection' }, keeps }, signer, to: options.out });
  const left = await keptDisclosures(options, hidden);
  const said = left === undefined ? '' : ` ${left} disclosures are left.`;
  output.result(
    { out: options.out, shown: made.shown, replaced: made.replaced, disclosures: left ?? null },
    `${options.out} shows ${made.shown} lines; ${made.replaced} stand as hashes.${said}`,
  );
}

/** Each name under which a line can be withheld: its leaf, its run, its event, and the event it speaks of. */
function marksOf({ leaf, record }: BundleLine): readonly string[] {
  const receipt = bodyOf(record['receipt']);
  const change = bodyOf(record['change']);
  const events = [receipt['event_id'], change['of'], record['event_id'], bodyOf(record['observation'])['event_id']];
  // What was refused stands in no run, and names one all the same.
  const runs = [receipt['run_id'], change['run_id'], bodyOf(record['observation'])['run_id']];
  const text = (value: JsonValue | undefined): value is string => typeof value === 'string';
  return [
    `leaf:${leaf}`,
    ...runs.filter(text).map((run) => `run:${run}`),
    ...events.filter(text).map((event) => `event:${event}`),
  ];
}

function bodyOf(part: JsonValue | undefined): JsonObject {
  const body = isJsonObject(part) ? part['body'] : undefined;
  return isJsonObject(body) ? body : {};
}

/** An export ends at the cut of its bundle, and shows it. */
function requireCutStays({ head }: BundleFolder, wanted: ReadonlySet<string>): void {
  if (!wanted.has(`leaf:${head.range.end - 1}`)) return;
  throw new ClyraError('CLY_CLI_ARGUMENT', 'the last line is the cut that the bundle ends at: it cannot be withheld', {
    retry: 'never',
  });
}

async function keptDisclosures(options: RedactOptions, hidden: ReadonlySet<number>): Promise<number | undefined> {
  if (options.disclosures === undefined || options.disclosuresOut === undefined) return undefined;
  const kept = parseDisclosures(await readFile(options.disclosures)).filter(({ leaf }) => !hidden.has(leaf));
  await writeWhole(options.disclosuresOut, encodeDisclosures(kept), 0o600);
  return kept.length;
}
