// SPDX-License-Identifier: Apache-2.0
import { S3ServiceException } from '@aws-sdk/client-s3';
import { ClyraError } from '@clyra/core/kernel/error';

export function statusOf(cause: unknown): number | undefined {
  return cause instanceof S3ServiceException ? cause.$metadata.httpStatusCode : undefined;
}

/** What will not change by asking again: rights, bucket, signature. 409 is another writer at this moment. */
const LASTING = new Set([400, 401, 403, 404, 405, 411, 412, 501]);

/** Any failure of the store as CLY_BLOB_UNAVAILABLE (backoff) or CLY_BLOB_REFUSED (never); what has a name passes. */
export function s3Error(operation: string, name: string, cause: unknown): unknown {
  if (cause instanceof ClyraError) return cause;
  const { name: what = 'error', message = '' } = cause as Error;
  const context = { operation, name, status: statusOf(cause) ?? 0 };
  if (LASTING.has(context.status) || what === 'CredentialsProviderError') {
    return new ClyraError(
      'CLY_BLOB_REFUSED',
      `object store: ${operation} of ${name} was refused (${what} ${message}): check bucket, rights and credentials`,
      { retry: 'never', context, cause },
    );
  }
  return new ClyraError('CLY_BLOB_UNAVAILABLE', `object store: ${operation} of ${name} failed (${what} ${message})`, {
    retry: 'backoff',
    context,
    cause,
  });
}
