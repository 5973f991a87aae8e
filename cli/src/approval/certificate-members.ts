// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import { JsonError } from '@clyra/core/canonical/json-error';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { BODY_LIMITS, parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Context } from '../context.ts';
import { IntakeClient, refusalOf } from '../intake/intake-client.ts';

export type Wanted = {
  readonly tenant: string;
  readonly of: string;
  /** What the signer believes to be held. */
  readonly payloadFile: string | undefined;
};

const BOUND = ['route', 'method', 'target_digest', 'payload_hash', 'requester'] as const;

/** What a key's certificate names: the change as intake says it is held, checked against the signer's own payload. */
export async function certificateMembers(context: Context, { tenant, of, payloadFile }: Wanted): Promise<JsonObject> {
  const answer = await new IntakeClient(await context.intakeUrl()).heldChange(tenant, of);
  if (answer.status !== 200) throw refusalOf(answer);
  const hex = (bytes: number): string => Buffer.from(context.random.bytes(bytes)).toString('hex');
  const bound = Object.fromEntries(BOUND.map((name) => [name, String(answer.body[name])]));
  if (payloadFile !== undefined) await checkPayload(payloadFile, String(bound['payload_hash']));
  return { approval_id: hex(16), of, ...bound, challenge_nonce: hex(32), proof: 'key' };
}

async function checkPayload(path: string, held: string): Promise<void> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new ClyraError('CLY_CLI_FILE', `${path} cannot be read (${cause.code})`, { retry: 'never', cause });
  });
  if (digestOf(bytes) === held || canonicalDigest(bytes) === held) return;
  throw new ClyraError('CLY_CLI_OTHER_PAYLOAD', `${path} is not the payload that is held: nothing was signed`, {
    retry: 'never',
    context: { held },
  });
}

function canonicalDigest(bytes: Uint8Array): string | undefined {
  try {
    return digestOf(canonicalJson(parseJson(bytes, BODY_LIMITS)));
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
