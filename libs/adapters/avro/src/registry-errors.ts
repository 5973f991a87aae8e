// SPDX-License-Identifier: Apache-2.0
import { ClyraError, type ErrorContext } from '@clyra/core/kernel/error';

const CONFLICT = 409;
const UNPROCESSABLE = 422;

/** The client's errors as ours. Whatever is not plainly a final answer counts as "could not be asked". */
export function registryError(error: unknown, context: ErrorContext): ClyraError {
  if (error instanceof ClyraError) return error;
  const said = describe(error);
  const status = httpStatusOf(error);
  if (status === CONFLICT) {
    return final('CLY_SCHEMA_INCOMPATIBLE', `the registry refuses the schema (${said}): change it so that old and new read each other`, { context, error });
  }
  if (status === UNPROCESSABLE) {
    return final('CLY_SCHEMA_INVALID', `the registry does not accept the schema (${said}): correct it`, { context, error });
  }
  if (error instanceof Error && error.name === 'ConfluentSchemaRegistryCompatibilityError') {
    return final('CLY_SCHEMA_COMPATIBILITY', `${said}: set the subject to FULL_TRANSITIVE, or give it no setting of its own`, { context, error });
  }
  return unreachable(said, { context, error });
}

export function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

export function unreachable(said: string, facts: { context?: ErrorContext; error?: unknown } = {}): ClyraError {
  return new ClyraError(
    'CLY_SCHEMA_REGISTRY_UNREACHABLE',
    `the schema registry could not be asked (${said}): check its address and that it runs, then try again`,
    { retry: 'backoff', context: facts.context ?? {}, cause: facts.error },
  );
}

function final(
  code: 'CLY_SCHEMA_INCOMPATIBLE' | 'CLY_SCHEMA_INVALID' | 'CLY_SCHEMA_COMPATIBILITY',
  message: string,
  { context, error }: { readonly context: ErrorContext; readonly error: unknown },
): ClyraError {
  return new ClyraError(code, message, { retry: 'never', context, cause: error });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
