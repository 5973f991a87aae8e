// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';

/** Envelopes as JSON with base64 bytes: for simulations, where neither Avro nor a registry is what is tested. */
export const plainCodec: EnvelopeCodec = {
  encode(name, value) {
    const text = JSON.stringify({ name, value }, (_, member: unknown) =>
      member instanceof Uint8Array || isBufferJson(member) ? { $bytes: toBuffer(member).toString('base64') } : member,
    );
    return Buffer.from(text, 'utf8');
  },
  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] {
    try {
      const decoded = JSON.parse(Buffer.from(bytes).toString('utf8'), reviveBytes) as {
        name: string;
        value: Envelopes[Name];
      };
      if (decoded.name === name) return decoded.value;
    } catch {
      // Falls through to the one refusal below.
    }
    throw new ClyraError('CLY_SCHEMA_UNDECODABLE', `these bytes are no ${name}`, { retry: 'never' });
  },
};

type BufferJson = { readonly type: 'Buffer'; readonly data: readonly number[] };

/** JSON.stringify calls Buffer's toJSON before the replacer sees it. */
function isBufferJson(value: unknown): value is BufferJson {
  return typeof value === 'object' && value !== null && (value as { type?: unknown }).type === 'Buffer';
}

function toBuffer(value: Uint8Array | BufferJson): Buffer {
  return value instanceof Uint8Array ? Buffer.from(value) : Buffer.from(value.data);
}

function reviveBytes(_name: string, member: unknown): unknown {
  const encoded = (member as { $bytes?: unknown } | null)?.$bytes;
  return typeof encoded === 'string' ? Buffer.from(encoded, 'base64') : member;
}
