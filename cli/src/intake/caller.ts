// SPDX-License-Identifier: Apache-2.0
import { signRequest } from '@clyra/core/inspection/request-signature';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { type Credential, readCredentials } from '../local/credentials.ts';
import { IntakeClient, type SignedHeaders } from './intake-client.ts';

export type CallerOptions = { readonly tenant?: string; readonly actor?: string; readonly credential?: string };

/** Who asks: a credential of the local installation, and the actor it speaks for. */
export function callerOptions(command: Command, withActor: boolean): Command {
  const added = command
    .option('--tenant <tenant>', 'whose credential asks (default: the only one there is)')
    .option('--credential <key-id>', 'which credential asks (default: the first of the tenant)');
  return withActor ? added.option('--actor <actor>', 'whom the credential speaks for (default: operator)') : added;
}

export type Caller = { readonly client: IntakeClient; readonly tenant: string; readonly actor: string };

/** A client that signs each request with the caller's HMAC credential. */
export async function callerClient(context: Context, options: CallerOptions): Promise<Caller> {
  const credential = await chosenCredential(context, options);
  const actor = options.actor ?? credential.actors.find((name) => name !== '*') ?? 'operator';
  const client = new IntakeClient(await context.intakeUrl(), { headers: signer(credential, actor, context) });
  return { client, tenant: credential.tenant, actor };
}

/** Signs each request anew, with the credential's secret and for this actor. */
export function signer(
  credential: Credential,
  actor: string,
  { clock, random }: Pick<Context, 'clock' | 'random'>,
): SignedHeaders {
  return ({ method, target, body }) =>
    signRequest({
      keyId: credential.key_id,
      secret: Buffer.from(credential.secret, 'base64'),
      method,
      target,
      tenant: credential.tenant,
      actor,
      nowMs: clock.nowMs(),
      nonce: Buffer.from(random.bytes(16)).toString('hex'),
      body,
    });
}

async function chosenCredential({ layout }: Context, options: CallerOptions): Promise<Credential> {
  const known = await readCredentials(layout.credentialsFile);
  const fitting = known.filter(
    ({ key_id: keyId, tenant }) =>
      (options.tenant === undefined || tenant === options.tenant) &&
      (options.credential === undefined || keyId === options.credential),
  );
  const [credential, other] = fitting;
  const ambiguous = other !== undefined && options.tenant === undefined && options.credential === undefined;
  if (credential !== undefined && !ambiguous) return credential;
  const advice = ambiguous
    ? `has credentials of several tenants: name one with --tenant (${known.map(({ tenant }) => tenant).join(', ')})`
    : 'has no such credential: open the tenant with `clyra tenant open`, or name another folder with --data-dir';
  throw new ClyraError('CLY_CLI_CREDENTIAL', `${layout.credentialsFile} ${advice}`, { retry: 'never' });
}
