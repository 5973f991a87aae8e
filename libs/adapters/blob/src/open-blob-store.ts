// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import { segmentsOf } from '@clyra/core/ports/blob-name';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import { FileBlobStore } from './file-blob-store.ts';
import type { Retention } from './s3-blob-store.ts';

const OPTIONS = ['region', 'endpoint', 'deadline_ms', 'retention_mode', 'retention_days'];
const DEADLINE_MS_DEFAULT = 30_000;
const RETENTION_DAYS_MAX = 36_500;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * The one door to blob stores. `where` is a folder, or `s3://<bucket>[/<prefix>]` with options behind `#` as in a
 * query: `region`, `endpoint`, `deadline_ms`, `retention_mode` (compliance, governance) and `retention_days` (README.md).
 */
export async function openBlobStore(where: string, clock: Clock): Promise<BlobStore> {
  if (!where.startsWith('s3://')) return new FileBlobStore(where);
  const [address = '', fragment = ''] = where.slice('s3://'.length).split('#', 2);
  const [bucket = '', ...segments] = address.split('/').filter((part, index) => index === 0 || part !== '');
  if (!BUCKET.test(bucket)) throw invalid(where, 'names no bucket');
  if (segments.length > 0) segmentsOf(segments.join('/'));
  const options = new URLSearchParams(fragment);
  const unknown = [...options.keys()].find((name) => !OPTIONS.includes(name));
  if (unknown !== undefined) throw invalid(where, `has an unknown option ${unknown}; known are ${OPTIONS.join(', ')}`);
  const retention = retentionOf(where, options);
  const [region, endpoint] = [options.get('region'), options.get('endpoint')];
  // Only who uses it pays for the memory of its SDK.
  const { S3BlobStore } = await import('./s3-blob-store.ts');
  return S3BlobStore.open({
    bucket,
    prefix: segments.map((part) => `${part}/`).join(''),
    deadlineMs: integerOf(where, options.get('deadline_ms') ?? String(DEADLINE_MS_DEFAULT), 3_600_000),
    clock,
    ...(region === null ? {} : { region }),
    ...(endpoint === null ? {} : { endpoint }),
    ...(retention === undefined ? {} : { retention }),
  });
}

function retentionOf(where: string, options: URLSearchParams): Retention | undefined {
  const [mode, days] = [options.get('retention_mode'), options.get('retention_days')];
  if (mode === null && days === null) return undefined;
  if (mode !== 'compliance' && mode !== 'governance') throw invalid(where, 'has no retention_mode that is known');
  return { mode, days: integerOf(where, days ?? '', RETENTION_DAYS_MAX) };
}

function integerOf(where: string, text: string, max: number): number {
  const value = /^[0-9]+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= max) return value;
  throw invalid(where, `has a number that is not 1 to ${max}: ${text}`);
}

function invalid(where: string, what: string): ClyraError {
  return new ClyraError('CLY_BLOB_SETTING', `blob store setting ${where} ${what}`, { retry: 'never' });
}
