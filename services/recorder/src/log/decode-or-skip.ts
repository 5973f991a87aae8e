// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';

/** The envelope, or undefined for bytes that are none: poison is the enforcer's and the bundler's to name. */
export function decodeOrSkip<Name extends EnvelopeName>(
  codec: EnvelopeCodec,
  name: Name,
  bytes: Uint8Array | null,
): Envelopes[Name] | undefined {
  if (bytes === null) return undefined;
  try {
    return codec.decode(name, bytes);
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
