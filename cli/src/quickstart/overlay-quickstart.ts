// SPDX-License-Identifier: Apache-2.0
import { join } from 'node:path';
import { formatReport } from '@clyra/verifier/format-report';
import type { VerifyReport } from '@clyra/verifier/report/verify-report';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import { openTenant } from '../commands/tenant.ts';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { callerClient } from '../intake/caller.ts';
import { type IntakeClient, refusalOf } from '../intake/intake-client.ts';
import { ensureCredential } from '../local/credentials.ts';
import { textTable } from '../text-table.ts';
import { bundleAfter, newestBundle, until } from './await-evidence.ts';
import { AGENTS_TENANT, type DemoWorld, startDemoWorld } from './demo-world.ts';
import { gatewaySender, type Sent } from './gateway-sender.ts';
import { type CheckResult, overlayChecks, runOverlayChecks } from './overlay-checks.ts';

const POLICY_FILE = new URL('../../../packs/scenarios/agents/policy.yaml', import.meta.url).pathname;
const VERIFICATION = new URL('../../../packs/verification/quickstart.json', import.meta.url).pathname;
const WAIT_MS = 60_000;

export type OverlayQuickstart = { readonly portBase?: number | undefined; readonly overlays: readonly string[] };

/** The rules of an overlay on this machine: each meets what it is there for, answers it, and leaves its receipt. */
export async function overlayQuickstart(context: Context, options: OverlayQuickstart): Promise<number> {
  const say = (line: string): void => context.output.progress(line);
  say('Starting Kafka, the schema registry, PostgreSQL, a small CRM and the five services');
  const world = await startDemoWorld(context, { portBase: options.portBase, say: (line) => say(`  ${line}`) });
  try {
    const credential = await agentsTenant(context, world, options.overlays);
    const runId = `agents-${context.clock.nowMs().toString(36)}`;
    const before = await newestBundle(world.urlOf('bundler'), AGENTS_TENANT);
    const { client } = await callerClient(context, { tenant: AGENTS_TENANT, actor: `failing-${runId}` });
    const opened = await client.openRun({ run_id: runId });
    if (opened.status >= 300) throw refusalOf(opened);
    say('Sending what each rule is there for');
    const send = gatewaySender({ ...context, gatewayUrl: world.settings.gateway_url, credential });
    const settled = (sent: Sent) => outcomeOf(context, client, sent);
    const results = await runOverlayChecks(overlayChecks(runId), { send, settled });
    say('Sealing the evidence');
    const closed = await client.closeRun(runId);
    if (closed.status >= 300) throw refusalOf(closed);
    const wait = { clock: context.clock, deadlineMs: WAIT_MS, afterEnd: before?.end ?? 0 };
    const bundle = await bundleAfter(world.urlOf('bundler'), AGENTS_TENANT, wait);
    const directory = join(world.local.layout.blobDir, bundle.location);
    const { trustRootFile } = world.local.layout;
    const report = await verifyBundle({ directory, trustRootFile, policyFile: VERIFICATION, mode: 'full' });
    const good = report.exitCode === 0 && results.every(({ fired }) => fired);
    const rules = results.map(({ check, answer, fired }) => ({
      rule: check.rule,
      code: String(answer.problem['code'] ?? ''),
      status: answer.status,
      receipt: String(answer.problem['receipt_id'] ?? ''),
      fired,
    }));
    context.output.result(
      { bundle: directory, verdict: report.verdict, rules, good },
      story(results, report, directory),
    );
    return good ? EXIT.done : EXIT.refused;
  } finally {
    say('Stopping everything that was started; data stays for the next start');
    await world.close();
  }
}

async function agentsTenant(context: Context, world: DemoWorld, overlay: readonly string[]) {
  const { credentialsFile } = world.local.layout;
  const quiet: Context = { ...context, output: context.output.progressOnly() };
  const code = await openTenant(quiet, AGENTS_TENANT, { policy: POLICY_FILE, overlay });
  // A second run finds the tenant open, under the overlay of the first.
  if (code !== EXIT.done && code !== EXIT.refused) throw new Error(`the tenant was not opened: exit code ${code}`);
  return ensureCredential(credentialsFile, { tenant: AGENTS_TENANT }, context.random);
}

async function outcomeOf({ clock }: Context, client: IntakeClient, { eventId }: Sent): Promise<void> {
  if (eventId === undefined) return;
  await until('the outcome of a change', { clock, deadlineMs: WAIT_MS }, async () => {
    const { body } = await client.change(eventId);
    return body['state'] === 'requested' || body['state'] === 'allowed' ? undefined : true;
  });
}

function story(results: readonly CheckResult[], report: VerifyReport, directory: string): string {
  const rows = results.map(({ check, answer, fired }) => [
    check.rule,
    check.what,
    `${answer.status} ${String(answer.problem['code'] ?? 'passed')}`,
    String(answer.problem['receipt_id'] ?? 'none').slice(0, 16),
    fired ? '✓' : '✗',
  ]);
  return [
    '',
    textTable(['rule of the overlay', 'what was sent', 'answer', 'receipt', ''], rows),
    `Sealed bundle: ${directory}`,
    '',
    formatReport(report),
  ].join('\n');
}
