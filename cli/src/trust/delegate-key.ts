// SPDX-License-Identifier: Apache-2.0
import { openSigner } from '@clyra/adapter-signing/open-signer';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Context } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { issueCommand } from '../intake/issue-command.ts';

export type DelegateOptions = {
  readonly as: string;
  readonly tenant: readonly string[];
  readonly role: readonly string[];
  readonly hours: number;
  readonly renew?: boolean;
};

const HOUR_MS = 3_600_000;
const HOURS_MAX = 168;
/** After a renewal that failed: half of the window is left for the repetitions. */
const RETRY_MS = 60_000;

/**
 * Lends roles to the key of a process in the log of each tenant (docs/spec/trust.md §5). With `renew` it stays until
 * `stop` aborts and lends anew at half of the window, so that a process never stands without a key.
 */
export async function delegateKey(
  context: Context,
  where: string,
  options: DelegateOptions & { readonly stop: AbortSignal },
): Promise<number> {
  const { hours, renew = false, stop } = options;
  if (hours < 1 || hours > HOURS_MAX) {
    throw new ClyraError('CLY_CLI_ARGUMENT', `--hours is 1 to ${HOURS_MAX}: a lent key is short-lived`, {
      retry: 'never',
    });
  }
  const process = await openSigner(where);
  for (;;) {
    const exitCode = await delegateOnce(context, process, options);
    if (!renew) return exitCode;
    await pause(context, exitCode === EXIT.done ? (hours * HOUR_MS) / 2 : RETRY_MS, stop);
    if (stop.aborted) return EXIT.done;
  }
}

type Lent = { readonly keyId: string; readonly publicKey: Uint8Array };

async function delegateOnce(context: Context, process: Lent, options: DelegateOptions): Promise<number> {
  const nowMs = context.clock.nowMs();
  const key: JsonObject = {
    alg: 'ed25519',
    key_id: process.keyId,
    public_key: Buffer.from(process.publicKey).toString('base64'),
    roles: options.role,
    valid_from: nowMs,
    valid_to: nowMs + options.hours * HOUR_MS,
  };
  let worst: number = EXIT.done;
  for (const tenant of options.tenant) {
    const exitCode = await delegateFor(context, tenant, { key, as: options.as, isRepeated: options.renew === true });
    worst = Math.max(worst, exitCode);
  }
  return worst;
}

type Loan = { readonly key: JsonObject; readonly as: string; readonly isRepeated: boolean };

async function delegateFor(context: Context, tenant: string, { key, as, isRepeated }: Loan): Promise<number> {
  try {
    const title = `lend ${String(key['roles'])} to key ${String(key['key_id'])} for ${tenant}`;
    return await issueCommand(context, {
      kind: 'key.delegated',
      tenant,
      title,
      people: [],
      keyFiles: [as],
      members: { key },
    });
  } catch (error) {
    // A renewal goes on: what is away now may be back before the window ends.
    if (!isRepeated || !(error instanceof ClyraError) || error.retry === 'never') throw error;
    context.output.failure(error);
    return EXIT.unavailable;
  }
}

function pause({ clock }: Context, delayMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(delayMs, resolve);
    stop.addEventListener('abort', () => {
      cancel();
      resolve();
    });
  });
}
