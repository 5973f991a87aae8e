// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { Command } from 'commander';
import type { CommandHost, Context } from '../context.ts';
import { countersign, readDraft, writeDraft } from '../intake/command-draft.ts';
import { IntakeClient, refusalOf } from '../intake/intake-client.ts';
import { type Issue, issueCommand, showDecision, signedCommand } from '../intake/issue-command.ts';
import { keyFileOf } from '../local/layout.ts';
import { type OverlayOptions, overlayOption } from '../policy/read-overlays.ts';
import { type KeyOptions, keyOption } from './arguments.ts';
import { addPolicyStatus } from './policy-status.ts';
import { addPolicyWizard } from './policy-wizard.ts';
import { addPolicyWork } from './policy-work.ts';
import { compileFile } from './tenant.ts';

type ApplyOptions = KeyOptions &
  OverlayOptions & { readonly tenant: string; readonly replaces?: string; readonly draft?: string };

type ApproveOptions = KeyOptions & OverlayOptions & { readonly policy: string };

export function addPolicyCommand(program: Command, host: CommandHost): void {
  const policy = program.command('policy').description('what is allowed, by whom, how often');
  policy
    .command('apply')
    .argument('<file>', 'the policy in YAML')
    .requiredOption('--tenant <tenant>', 'whose policy it becomes')
    .option('--replaces <digest>', 'the policy that is in force now (default: asked of intake)')
    .option('--draft <file>', 'sign as the author only, and write the command there for the approver')
    .addOption(keyOption('the author, then the approver'))
    .addOption(overlayOption())
    .description('compile a policy and activate it: signed by its author and by another person who approves it')
    .action(async (file: string, options: ApplyOptions) => {
      host.exit(await applyPolicy(host.context(), file, options));
    });
  policy
    .command('approve')
    .argument('<draft>', 'what the author signed with `apply --draft`, at most ten minutes ago')
    .requiredOption(
      '--policy <file>',
      'the policy that you have read: nothing is signed where the draft activates another',
    )
    .addOption(overlayOption())
    .addOption(keyOption('the approver'))
    .description('sign what its author has signed, and put it in force')
    .action(async (draft: string, options: ApproveOptions) => {
      host.exit(await approvePolicy(host.context(), draft, options));
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
  addPolicyStatus(policy, host);
  addPolicyWizard(policy, host);
  addPolicyWork(policy, host);
}

export async function applyPolicy(context: Context, file: string, options: ApplyOptions): Promise<number> {
  const { digest, bytes } = await compileFile(file, options.overlay);
  const replaces = options.replaces ?? (await policyInForce(context, options.tenant));
  if (replaces === digest) {
    context.output.result({ policy: digest, unchanged: true }, `✓ policy ${digest} is in force already`);
    return 0;
  }
  const issue: Issue = {
    kind: 'policy.activated',
    tenant: options.tenant,
    title: `activate policy ${digest} for ${options.tenant}`,
    replaces,
    people: options.draft === undefined ? ['policy-author', 'policy-approver'] : ['policy-author'],
    keyFiles: options.key,
    members: { policy: digest },
    documents: [{ name: 'policy', content: bytes }],
  };
  if (options.draft === undefined) return issueCommand(context, issue);
  await writeDraft(options.draft, await signedCommand(context, issue));
  const next = `  Another person looks at it and signs: clyra policy approve ${options.draft} --policy FILE --key KEY`;
  context.output.result({ draft: options.draft, policy: digest }, `✓ ${options.draft}: signed by its author\n${next}`);
  return 0;
}

/** The other person: sees which policy it is, compared with the file they read, signs and sends. */
async function approvePolicy(context: Context, draftFile: string, options: ApproveOptions): Promise<number> {
  const draft = await readDraft(draftFile);
  const policy = String(draft.command['policy']);
  const { digest } = await compileFile(options.policy, options.overlay);
  if (digest !== policy) {
    const message = `${draftFile} activates ${policy}, and ${options.policy} is ${digest}: nothing was signed`;
    throw new ClyraError('CLY_CLI_OTHER_POLICY', message, { retry: 'never' });
  }
  const signed = await countersign(draft, options.key?.[0] ?? keyFileOf(context.layout, 'policy-approver'));
  const answer = await new IntakeClient(await context.intakeUrl()).sendCommand(signed);
  return showDecision(context, `activate policy ${policy} for ${String(draft.command['tenant'])}`, answer);
}

async function policyInForce(context: Context, tenant: string): Promise<string | null> {
  const answer = await new IntakeClient(await context.intakeUrl()).tenant(tenant);
  const policy = answer.body['policy'];
  if (answer.status === 200 && (typeof policy === 'string' || policy === null)) return policy;
  throw refusalOf(answer);
}
