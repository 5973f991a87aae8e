// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { IntakeClient, refusalOf } from '../intake/intake-client.ts';
import { textTable } from '../text-table.ts';

export function addPolicyStatus(policy: Command, host: CommandHost): void {
  policy
    .command('status')
    .argument('<tenant>')
    .description(
      'what is in force: since which record, signed by whom, and on which routes it blocks; exit code 1 for none',
    )
    .action(async (tenant: string) => {
      host.exit(await showStatus(host.context(), tenant));
    });
}

async function showStatus(context: Context, tenant: string): Promise<number> {
  const answer = await new IntakeClient(await context.intakeUrl()).tenant(tenant);
  if (answer.status !== 200) throw refusalOf(answer);
  const inForce = answer.body['policy_in_force'];
  const switches = listOf(answer.body['switches']);
  const value = { tenant, policy: inForce ?? null, switches: [...switches] };
  if (!isJsonObject(inForce)) {
    context.output.result(value, `✗ ${tenant} has no policy: every change is blocked`);
    return EXIT.refused;
  }
  context.output.result(value, statusText(tenant, inForce, { switches, partition: Number(answer.body['partition']) }));
  return EXIT.done;
}

type Place = { readonly switches: readonly JsonObject[]; readonly partition: number };

export function statusText(tenant: string, policy: JsonObject, { switches, partition }: Place): string {
  const since = policy['since'] as JsonObject;
  const at = new Date(Number(since['decided_at'])).toISOString();
  const signers = (policy['signed_by'] as readonly string[]).join(' and ');
  const rows = listOf(policy['routes']).map(({ id, method, path, upstream, mode }) =>
    [id, `${String(method)} ${String(path)}`, upstream, mode === 'gate' ? 'gate: blocks' : 'review: records only'].map(
      String,
    ),
  );
  return [
    `${tenant}: policy ${String(policy['name'])}, ${String(policy['digest'])}`,
    `  in force since record ${String(since['offset'])} of partition ${partition}, ${at}; signed by ${signers}`,
    ...switches.map(
      ({ scope }) => `  ! kill switch ${String(scope)} is engaged: what it covers is blocked whatever the policy says`,
    ),
    '',
    textTable(['route', 'request', 'upstream', 'mode'], rows),
  ].join('\n');
}

function listOf(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}
