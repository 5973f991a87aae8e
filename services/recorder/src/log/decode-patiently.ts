// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { type Clock, sleep } from '@clyra/core/ports/clock';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';

const RETRY_MS = 250;

export type DecodeTools = { readonly codec: EnvelopeCodec; readonly clock: Clock; readonly signal: AbortSignal };

/**
 * The envelope, or undefined for bytes that are none. While nobody can say (the registry does not answer) it waits:
 * a record that is merely not readable yet must not be passed over. Rejects only when `signal` is aborted.
 */
export async function decodePatiently<Name extends EnvelopeName>(
  name: Name,
  bytes: Uint8Array | null,
  { codec, clock, signal }: DecodeTools,
): Promise<Envelopes[Name] | undefined> {
  if (bytes === null) return undefined;
  for (;;) {
    try {
      return await codec.decode(name, bytes);
    } catch (error) {
      if (!(error instanceof ClyraError)) throw error;
      if (error.retry === 'never') return undefined;
      if (signal.aborted) throw error;
      await sleep(clock, RETRY_MS);
    }
  }
}
