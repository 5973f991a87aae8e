// SPDX-License-Identifier: Apache-2.0
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { parseJson } from '@clyra/core/canonical/parse-json';
import { ClyraError } from '@clyra/core/kernel/error';

/** 256 MiB: a manifest of dbt may be large. */
const LIMITS = { bytesMax: 268_435_456, depthMax: 64, valuesMax: 20_000_000 };

/** Throws CLY_CLI_ARGUMENT that names the file. */
export function jsonOf(bytes: Uint8Array, path: string): JsonValue {
  try {
    return parseJson(bytes, LIMITS);
  } catch (cause) {
    if (!(cause instanceof ClyraError)) throw cause;
    throw new ClyraError('CLY_CLI_ARGUMENT', `${path} is not JSON: ${cause.message}`, { retry: 'never', cause });
  }
}
