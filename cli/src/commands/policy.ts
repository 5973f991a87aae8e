// SPDX-License-Identifier: Apache-2.0
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { IntakeClient, refusalOf } from '../intake/intake-client.ts';
import { issueCommand } from '../intake/issue-command.ts';
import { type OverlayOptions, overlayOption } from '../policy/read-overlays.ts';
import { type KeyOptions, keyOption } from './arguments.ts';
import { addPolicyWork } from './policy-work.ts';
import { compileFile } from './tenant.ts';

type ApplyOptions = KeyOptions & OverlayOptions & { readonly tenant: string; readonly replaces?: string };

export function addPolicyCommand(program: Command, host: CommandHost): void {
  const policy = program.command('policy').description('what is allowed, by whom, how often');
  policy
    .command('apply')
    .argument('<file>', 'the policy in YAML')
    .requiredOption('--tenant <tenant>', 'whose policy it becomes')
    .option('--replaces <digest>', 'the policy that is in force now (default: asked of intake)')
    .addOption(keyOption('the author, then the approver'))
    .addOption(overlayOption())
    .description('compile a policy and activate it: signed by its author and by another person who approves it')
    .action(async (file: string, options: ApplyOptions) => {
      host.exit(await applyPolicy(host.context(), file, options));
    });
  policy
    .command('check')
    .argument('<file>', 'the policy in YAML')
    .addOption(overlayOption())
    .description('compile a policy and name every problem in it; changes nothing')
    .action(async (file: string, options: OverlayOptions) => {
      const { digest, policy: compiled } = await compileFile(file, options.overlay);
      const value = { digest, name: compiled.name, routes: compiled.routes.length };
      host.context().output.result(value, `✓ ${compiled.name}: ${compiled.routes.length} routes, digest ${digest}`);
    });
  addPolicyWork(policy, host);
}

export async function applyPolicy(context: Context, file: string, options: ApplyOptions): Promise<number> {
  const { digest, bytes } = await compileFile(file, options.overlay);
  const replaces = options.replaces ?? (await policyInForce(context, options.tenant));
  if (replaces === digest) {
    context.output.result({ policy: digest, unchanged: true }, `✓ policy ${digest} is in force already`);
    return 0;
  }
  return issueCommand(context, {
    kind: 'policy.activated',
    tenant: options.tenant,
    title: `activate policy ${digest} for ${options.tenant}`,
    replaces,
    people: ['policy-author', 'policy-approver'],
    keyFiles: options.key,
    members: { policy: digest },
    documents: [{ name: 'policy', content: bytes }],
  });
}

async function policyInForce(context: Context, tenant: string): Promise<string | null> {
  const answer = await new IntakeClient(await context.intakeUrl()).tenant(tenant);
  const policy = answer.body['policy'];
  if (answer.status === 200 && (typeof policy === 'string' || policy === null)) return policy;
  throw refusalOf(answer);
}
