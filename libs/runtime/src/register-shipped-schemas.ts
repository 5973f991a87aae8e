// SPDX-License-Identifier: Apache-2.0
import { registerSchemas } from '@clyra/adapter-avro/register-schemas';
import { type RegistryCodecOptions, shippedSchemas } from './envelope-codec.ts';

/**
 * Registers what is missing; repeating it changes nothing. Needs the right to write. Rejects as `registerSchemas` does.
 * Apart from the codec, because services only look ids up and the client that registers takes memory.
 */
export async function registerShippedSchemas(options: RegistryCodecOptions): Promise<void> {
  await registerSchemas({ ...options, schemas: shippedSchemas() });
}
