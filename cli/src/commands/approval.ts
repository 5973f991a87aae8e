// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import type { Command } from 'commander';
import { certificateMembers } from '../approval/certificate-members.ts';
import type { CommandHost, Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { IntakeClient, refusalOf } from '../intake/intake-client.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { textTable } from '../text-table.ts';
import { type KeyOptions, keyOption } from './arguments.ts';

type GrantOptions = KeyOptions & { readonly payload?: string; readonly reason?: string };
type RevokeOptions = KeyOptions & { readonly reason: string };

export function addApprovalCommand(program: Command, host: CommandHost): void {
  const approval = program.command('approval').description('changes that are held until people approve them');
  approval
    .command('list')
    .argument('<tenant>')
    .description('what waits for approval, with the approvals so far')
    .action(async (tenant: string) => {
      await listHeld(host.context(), tenant);
    });
  approval
    .command('grant')
    .argument('<tenant>')
    .argument('<event>', 'the change that was held first')
    .option('--payload <file>', 'the payload as you know it: refuse to sign where another one is held')
    .option('--reason <text>', 'why; it stands in the evidence')
    .addOption(keyOption('an approver'))
    .description('approve with a key of your own instead of a sign-in; counts with grade 1')
    .action(async (tenant: string, of: string, options: GrantOptions) => {
      const context = host.context();
      const members = await certificateMembers(context, { tenant, of, payloadFile: options.payload });
      const reason = options.reason === undefined ? {} : { reason: options.reason };
      const issue = { kind: 'approval.granted', tenant, people: ['approver'], keyFiles: options.key } as const;
      const title = `approve change ${of}`;
      host.exit(await issueCommand(context, { ...issue, title, members: { ...members, ...reason } }));
    });
  approval
    .command('revoke')
    .argument('<tenant>')
    .argument('<event>', 'the change that was held first')
    .argument('<approval>', 'the approval, as `clyra approval list` names it')
    .requiredOption('--reason <text>', 'why; it stands in the evidence')
    .addOption(keyOption('an approver or operator'))
    .description('take an approval back that was not used yet')
    .action(async (tenant: string, of: string, id: string, { key, reason }: RevokeOptions) => {
      const members = { approval_id: id, of, reason };
      const issue = { kind: 'approval.revoked', tenant, people: ['approver'], keyFiles: key, members } as const;
      host.exit(await issueCommand(host.context(), { ...issue, title: `take back approval ${id}` }));
    });
}

async function listHeld(context: Context, tenant: string): Promise<void> {
  const answer = await new IntakeClient(await context.intakeUrl()).held(tenant);
  if (answer.status !== 200) throw refusalOf(answer);
  const held = objectsIn(answer.body['held']);
  const rows = held.map((one) => [
    String(one['of']),
    String(one['route']),
    String(one['requester']),
    `${objectsIn(one['approvals']).length} of ${String(one['need'])}`,
    new Date(Number(one['expires_at'])).toISOString().slice(0, 19),
    objectsIn(one['approvals'])
      .map(({ approval_id: id, approver }) => `${String(approver)} (${String(id)})`)
      .join(', '),
  ]);
  const head = ['change', 'route', 'asked for by', 'approvals', 'until (UTC)', 'approved by'];
  const text = held.length === 0 ? `Nothing of ${tenant} waits for approval.` : textTable(head, rows);
  context.output.result(answer.body, text);
}

export function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]).filter(isJsonObject) : [];
}

type EmergencyOptions = KeyOptions & { readonly ticket: string; readonly reason: string; readonly payload?: string };

export function addEmergencyCommand(program: Command, host: CommandHost): void {
  const emergency = program.command('emergency').description('break-glass: one operator, a ticket, and a review later');
  emergency
    .command('grant')
    .argument('<tenant>')
    .argument('<event>', 'the change that was held first')
    .requiredOption('--ticket <id>', 'where the emergency is written up')
    .requiredOption('--reason <text>', 'why; it stands in the evidence')
    .option('--payload <file>', 'the payload as you know it: refuse to sign where another one is held')
    .addOption(keyOption('an operator: a file, or a KMS or HSM address'))
    .description('let a held change through alone, where the policy has break_glass; lifts no block')
    .action(async (tenant: string, of: string, { ticket, reason, payload, key }: EmergencyOptions) => {
      const context = host.context();
      const certificate = await certificateMembers(context, { tenant, of, payloadFile: payload });
      const members = { ...certificate, emergency: true, ticket, reason };
      const issue = { kind: 'approval.granted', tenant, people: ['operator'], keyFiles: key, members } as const;
      host.exit(await issueCommand(context, { ...issue, title: `let change ${of} through in an emergency` }));
    });
  emergency
    .command('list')
    .argument('<tenant>')
    .description('emergencies that nobody has reviewed; exit code 1 where one is overdue')
    .action(async (tenant: string) => {
      host.exit(await listEmergencies(host.context(), tenant));
    });
  emergency
    .command('review')
    .argument('<tenant>')
    .argument('<approval>', 'the emergency, as `clyra emergency list` names it')
    .requiredOption('--verdict <text>', 'what you found; it stands in the evidence')
    .addOption(keyOption('somebody else than who let it through'))
    .description('say that you have looked at what was done in an emergency')
    .action(async (tenant: string, id: string, { key, verdict }: KeyOptions & { verdict: string }) => {
      const members = { approval_id: id, verdict };
      const issue = {
        kind: 'emergency.reviewed',
        tenant,
        people: ['second-operator'],
        keyFiles: key,
        members,
      } as const;
      host.exit(await issueCommand(host.context(), { ...issue, title: `review emergency ${id}` }));
    });
}

async function listEmergencies(context: Context, tenant: string): Promise<number> {
  const answer = await new IntakeClient(await context.intakeUrl()).emergencies(tenant);
  if (answer.status !== 200) throw refusalOf(answer);
  const emergencies = objectsIn(answer.body['emergencies']);
  const rows = emergencies.map((one) => [
    String(one['approval_id']),
    String(one['ticket']),
    String(one['by']),
    new Date(Number(one['review_by'])).toISOString().slice(0, 19),
    one['overdue'] === true ? 'OVERDUE' : '',
  ]);
  const head = ['emergency', 'ticket', 'let through by', 'review by (UTC)', ''];
  const text = rows.length === 0 ? `No emergency of ${tenant} waits for review.` : textTable(head, rows);
  context.output.result(answer.body, text);
  return emergencies.some((one) => one['overdue'] === true) ? EXIT.refused : EXIT.done;
}
