// SPDX-License-Identifier: Apache-2.0
import { dirname, join } from 'node:path';
import { conclusiveShare, formatLocation, formatReport } from '@clyra/verifier/format-report';
import type { VerifyReport } from '@clyra/verifier/report/verify-report';
import { type VerifyOptions, verifyBundle } from '@clyra/verifier/verify-bundle';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { callerClient } from '../intake/caller.ts';
import { refusalOf } from '../intake/intake-client.ts';
import { textTable } from '../text-table.ts';
import {
  bundleAfter,
  newestBundle,
  observationsSequenced,
  recorderCovers,
  type SealedBundle,
  until,
} from './await-evidence.ts';
import { type BrokenCopy, breakCopy, namesThePlace } from './break-copy.ts';
import { writeBehindTheGateway } from './bypass.ts';
import { DEMO_TENANT, type DemoWorld, startDemoWorld } from './demo-world.ts';
import { gatewaySender } from './gateway-sender.ts';
import { ReplayFolder } from './replay-folder.ts';
import { type BatchResult, sendTraffic } from './send-traffic.ts';
import { traffic } from './traffic.ts';

export type QuickstartOptions = {
  readonly portBase?: number | undefined;
  readonly seed?: number | undefined;
  /** SQL that is sent on the accounts besides. */
  readonly statements?: readonly string[] | undefined;
};

const POLICY_FILE = new URL('../../../packs/verification/quickstart.json', import.meta.url).pathname;
const WAIT_MS = 60_000;

/** The whole story on this machine: guarded changes in, one written behind the gateway, a verified bundle out. */
export async function quickstart(context: Context, options: QuickstartOptions): Promise<number> {
  const startedMs = context.clock.nowMs();
  const say = (line: string): void => context.output.progress(line);
  const seconds = (): string => `${((context.clock.nowMs() - startedMs) / 1_000).toFixed(1)} s`;
  say('Starting Kafka, the schema registry, PostgreSQL, a small CRM and the five services');
  const world = await startDemoWorld(context, { portBase: options.portBase, say: (line) => say(`  ${line}`) });
  try {
    const before = await newestBundle(world.urlOf('bundler'), DEMO_TENANT);
    const runId = `run-${startedMs.toString(36)}`;
    const folder = new ReplayFolder(context, { runId, database: world.database });
    await folder.begin();
    const onFirst = (): void => say(`  first decision after ${seconds()}`);
    const results = await sendRun(context, { world, runId, onFirst, folder, statements: options.statements });
    say('Sealing the evidence');
    const bundle = await seal(context, { world, runId, afterEnd: before?.end ?? 0 });
    const kit = await folder.end(DEMO_TENANT);
    const directory = join(world.local.layout.blobDir, bundle.location);
    const target = { directory, trustRootFile: world.local.layout.trustRootFile, policyFile: POLICY_FILE };
    const report = await verifyBundle({ ...target, mode: 'full' });
    const broken = await breakCopy(target, options.seed ?? startedMs % 2 ** 31);
    const good = report.exitCode === 0 && broken.report.exitCode !== 0 && namesThePlace(broken);
    context.output.result(
      {
        ...{ run_id: runId, bundle: directory, verdict: report.verdict, broken_verdict: broken.report.verdict, good },
        ...{ replay_kit: kit, replay_artifacts: folder.path, lineage_conclusive: conclusiveShare(report.findings) },
      },
      story({ results, report, broken, target, kit, seed: options.seed ?? startedMs % 2 ** 31, took: seconds() }),
    );
    return good ? EXIT.done : EXIT.refused;
  } finally {
    say('Stopping everything that was started; data stays for the next start');
    await world.close();
  }
}

type RunPart = {
  readonly world: DemoWorld;
  readonly runId: string;
  readonly onFirst: () => void;
  readonly folder: ReplayFolder;
  readonly statements: readonly string[] | undefined;
};

async function sendRun(
  context: Context,
  { world, runId, onFirst, folder, statements }: RunPart,
): Promise<readonly BatchResult[]> {
  const { client } = await callerClient(context, { tenant: DEMO_TENANT, actor: `sync-${runId}` });
  const opened = await client.openRun({ run_id: runId });
  if (opened.status >= 300) throw refusalOf(opened);
  const send = gatewaySender({ ...context, gatewayUrl: world.settings.gateway_url, credential: world.credential });
  let first = true;
  return sendTraffic(traffic(runId, statements), {
    send: folder.keeping(send),
    onProgress: (batch, doneCount, totalCount) => {
      if (first) onFirst();
      first = false;
      if (doneCount === totalCount || doneCount % 50 === 0)
        context.output.progress(`  ${batch}: ${doneCount} of ${totalCount}`);
    },
  });
}

type SealPart = { readonly world: DemoWorld; readonly runId: string; readonly afterEnd: number };

/** Waits for what really happened before it closes the run, so that the bundle is final and not provisional. */
async function seal(context: Context, { world, runId, afterEnd }: SealPart): Promise<SealedBundle> {
  const wait = { clock: context.clock, deadlineMs: WAIT_MS };
  await writeBehindTheGateway(world.database);
  context.output.progress('  one row is written straight into PostgreSQL, behind the gateway');
  await recorderCovers(world.urlOf('recorder'), { ...wait, sourceId: 'crm', untilMs: context.clock.nowMs() + 500 });
  await observationsSequenced(world.urlOf('bundler'), world.settings, wait);
  const { client } = await callerClient(context, { tenant: DEMO_TENANT, actor: `sync-${runId}` });
  const closed = await client.closeRun(runId);
  if (closed.status >= 300) throw refusalOf(closed);
  const bundle = await bundleAfter(world.urlOf('bundler'), DEMO_TENANT, { ...wait, afterEnd });
  const attestation = `${bundle.location.replace(/^bundles\//, 'attestations/')}.dsse.json`;
  await until('the attestation', wait, async () => ((await world.local.blobs.has(attestation)) ? true : undefined));
  await until('the time-stamp of its checkpoint', wait, async () =>
    (await world.local.blobs.list(`${bundle.location}/times/`)).at(0),
  );
  context.output.progress(`  sealed, attested and time-stamped: ${bundle.location}`);
  return bundle;
}

type Story = {
  readonly results: readonly BatchResult[];
  readonly report: VerifyReport;
  readonly broken: BrokenCopy;
  readonly target: Omit<VerifyOptions, 'mode'>;
  readonly seed: number;
  readonly kit: string;
  readonly took: string;
};

function story({ results, report, broken, target, seed, kit, took }: Story): string {
  const bypassed = report.findings?.counts['unattributed'] ?? 0;
  const rows = results.map(({ name, counts, codes }) => [
    name,
    String(counts.allowed || ''),
    String(counts.blocked || ''),
    String(counts.held || ''),
    '',
    codes.join(', '),
  ]);
  rows.push([
    'a row written straight into PostgreSQL',
    '',
    '',
    '',
    String(bypassed),
    'unattributed: no receipt allowed it',
  ]);
  const place =
    broken.report.failures.find(({ location }) => location?.file === broken.file) ?? broken.report.failures[0];
  return [
    '',
    textTable(['what was sent', 'allowed', 'blocked', 'held', 'bypassed', 'why'], rows),
    `Sealed bundle: ${target.directory}`,
    '',
    formatReport(report),
    `Then bit ${broken.bit} of byte ${broken.byte} of ${broken.file} was flipped in a copy (seed ${seed}), and the verifier said:`,
    `  ${broken.report.verdict.toUpperCase()}: ${place === undefined ? 'no place' : `${formatLocation(place.location)}: ${place.code} ${place.message}`}`,
    '',
    `Check it again: cli/bin/clyra verify --trust-root ${target.trustRootFile} --policy ${target.policyFile} ${target.directory}`,
    `Decide it again: cli/bin/clyra replay ${target.directory}`,
    `Do it again: cli/bin/clyra replay ${target.directory} --data ${kit} --artifacts ${dirname(kit)} --upstream crm (while \`clyra up\` runs, or with --scratch postgres://…)`,
    `All of this took ${took}.`,
  ].join('\n');
}
