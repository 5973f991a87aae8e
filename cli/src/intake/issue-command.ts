// SPDX-License-Identifier: Apache-2.0
import { openSigner } from '@clyra/adapter-signing/open-signer';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import type { CommandKind } from '@clyra/core/change/change-body';
import { ClyraError } from '@clyra/core/kernel/error';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { readIfThere } from '@clyra/runtime/whole-file';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { decisionInWords } from '../explain/answer-in-words.ts';
import { keyFileOf, type Person } from '../local/layout.ts';
import { type CommandRequest, type IntakeAnswer, IntakeClient, refusalOf } from './intake-client.ts';
import { commandOf, signCommand } from './sign-command.ts';

export type Issue = {
  readonly kind: CommandKind;
  readonly tenant: string;
  /** What is to be done, in words: `open tenant acme`. */
  readonly title: string;
  readonly replaces?: string | null;
  readonly members: JsonObject;
  readonly documents?: CommandRequest['documents'];
  /** Whose keys of the local installation sign where no key file is given. */
  readonly people: readonly Person[];
  /** Key files or other signers, in signing order; the first one's subject issues the command. */
  readonly keyFiles?: readonly string[] | undefined;
};

/** Signs a command, sends it to intake, prints what was decided and says with which exit code that ended. */
export async function issueCommand(context: Context, issue: Issue): Promise<number> {
  const request = await signedCommand(context, issue);
  const answer = await new IntakeClient(await context.intakeUrl()).sendCommand(request);
  return showDecision(context, issue.title, answer);
}

/** The command with its signatures and documents, not sent yet. */
export async function signedCommand(context: Context, issue: Issue): Promise<CommandRequest> {
  const { trustRoot } = await readTrustRoot(context);
  const keyFiles = issue.keyFiles ?? issue.people.map((person) => keyFileOf(context.layout, person));
  const signers = await Promise.all(keyFiles.map((path) => openSigner(path)));
  const command = commandOf({
    kind: issue.kind,
    tenant: issue.tenant,
    nowMs: context.clock.nowMs(),
    subject: subjectOf(trustRoot, signers[0]?.keyId ?? ''),
    replaces: issue.replaces ?? null,
    members: issue.members,
  });
  return { command, signatures: await signCommand(command, signers), documents: issue.documents ?? [] };
}

/** Prints what was decided. An answer without a decision throws intake's own error. */
export function showDecision(context: Context, title: string, answer: IntakeAnswer): number {
  const decision = answer.body['decision'];
  if (typeof decision !== 'string') throw refusalOf(answer);
  context.output.result(answer.body, decisionInWords(title, answer.body));
  return decision === 'allow' ? EXIT.done : EXIT.refused;
}

export async function readTrustRoot({ layout }: Context): Promise<{ bytes: Uint8Array; trustRoot: TrustRoot }> {
  const bytes = await readIfThere(layout.trustRootFile);
  if (bytes !== undefined) return { bytes, trustRoot: parseTrustRoot(bytes) };
  throw new ClyraError(
    'CLY_LOCAL_MISSING',
    `${layout.trustRootFile} does not exist: make the installation with \`clyra up\`, or name its folder with --data-dir`,
    { retry: 'never', context: { path: layout.trustRootFile } },
  );
}

function subjectOf(trustRoot: TrustRoot, keyId: string): string {
  const key = trustRoot.keys.get(keyId);
  if (key !== undefined) return key.subject;
  throw new ClyraError('CLY_CLI_KEY_UNKNOWN', `the trust root has no key ${keyId}: sign with a key that it names`, {
    retry: 'never',
    context: { keyId },
  });
}
