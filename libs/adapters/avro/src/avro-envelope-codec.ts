// SPDX-License-Identifier: Apache-2.0
import type { EnvelopeCodec, EnvelopeName, Envelopes } from '@clyra/core/ports/envelope-codec';
import { AvroCodec, type Decoded } from './avro-codec.ts';
import { parseSchema, recordNameOf } from './avro-schema.ts';
import { envelopeSchemas } from './envelope-schemas.ts';
import { connectAvroCodec, type ConnectRequest } from './register-all.ts';

const NAMESPACE = 'dev.clyra';
/** Ids of the offline table start here, far from those of a young registry, so that a mix-up shows at once. */
const OFFLINE_ID_START = 1_000_001;

/** The envelopes of schemas/avro as the ports name them. A record of another type is undecodable. */
export class AvroEnvelopeCodec implements EnvelopeCodec {
  readonly #codec: AvroCodec;

  constructor(codec: AvroCodec) {
    this.#codec = codec;
  }

  encode<Name extends EnvelopeName>(name: Name, value: Envelopes[Name]): Uint8Array {
    return this.#codec.encode(`${NAMESPACE}.${name}`, value);
  }

  decode<Name extends EnvelopeName>(name: Name, bytes: Uint8Array): Envelopes[Name] | Promise<Envelopes[Name]> {
    const decoded = this.#codec.decode(bytes, { readerSchema: `${NAMESPACE}.${name}` });
    return decoded instanceof Promise ? decoded.then(envelope<Name>) : envelope<Name>(decoded);
  }
}

/** The shipped schema decided the shape, and the schemas are checked against the port's types in a test. */
function envelope<Name extends EnvelopeName>({ value }: Decoded): Envelopes[Name] {
  return value as Envelopes[Name];
}

/** Ids from the registry; see `connectAvroCodec` for what it rejects with. */
export async function connectEnvelopeCodec(request: Omit<ConnectRequest, 'schemas'>): Promise<AvroEnvelopeCodec> {
  return new AvroEnvelopeCodec(await connectAvroCodec({ ...request, schemas: envelopeSchemas() }));
}

/** A fixed table of ids and no registry: for the simulation, and for engines that read only their own records. */
export function offlineEnvelopeCodec(): AvroEnvelopeCodec {
  const schemas = envelopeSchemas();
  const names = schemas.map((schema) => recordNameOf(parseSchema(schema)));
  const ids = new Map(names.map((name, index) => [name, OFFLINE_ID_START + index]));
  return new AvroEnvelopeCodec(new AvroCodec({ schemas, ids }));
}
