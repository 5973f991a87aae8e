// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectLockConfigurationCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { ClyraError } from '@clyra/core/kernel/error';
import { checkPrefix, segmentsOf } from '@clyra/core/ports/blob-name';
import { type BlobStore, missingBlob } from '@clyra/core/ports/blob-store';
import type { Clock } from '@clyra/core/ports/clock';
import { s3Error, statusOf } from './s3-error.ts';
import { type Spooled, spool } from './spool.ts';
import { streamPieces } from './stream-pieces.ts';

export type Retention = {
  /** `compliance`: nobody, not even the account's root, deletes or shortens. `governance`: who has the right may. */
  readonly mode: 'compliance' | 'governance';
  readonly days: number;
};

export type S3BlobStoreOptions = {
  readonly bucket: string;
  /** Before every name; empty, or segments with a slash at the end. */
  readonly prefix: string;
  readonly region?: string;
  /** Another address than the region's own: a VPC endpoint, or another S3-compatible store. */
  readonly endpoint?: string;
  /** Of one request, and of each piece of a blob that is read in pieces; a large upload gets one millisecond more for each KiB. */
  readonly deadlineMs: number;
  /** With it every blob is written under Object Lock, and read back to see that it is. */
  readonly retention?: Retention;
  /** Names in one answer of a listing, at most 1,000. */
  readonly listPageSize?: number;
  readonly clock: Clock;
};

const DAY_MS = 86_400_000;
/** Of one PutObject; beyond, S3 wants parts, which no bundle of ours has needed. */
const BLOB_BYTES_MAX = 5 * 1_024 ** 3;
const ATTEMPTS_MAX = 3;

type About = { readonly operation: string; readonly name: string; readonly extraMs?: number };
type Abort = { readonly abortSignal: AbortSignal };

/**
 * Blobs as objects of a bucket, written with If-None-Match so that none is ever replaced. Under a retention each is
 * locked, and one that was hidden by a delete marker is reported instead of being called absent or written anew.
 */
export class S3BlobStore implements BlobStore {
  readonly #options: S3BlobStoreOptions;
  readonly #client: S3Client;

  private constructor(options: S3BlobStoreOptions) {
    this.#options = options;
    this.#client = new S3Client({
      maxAttempts: ATTEMPTS_MAX,
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint, forcePathStyle: true }),
    });
  }

  /** Rejects with CLY_BLOB_RETENTION where a retention is asked for and the bucket cannot keep it. */
  static async open(options: S3BlobStoreOptions): Promise<S3BlobStore> {
    const store = new S3BlobStore(options);
    if (options.retention !== undefined) await store.#requireLock();
    return store;
  }

  async put(name: string, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    segmentsOf(name);
    const spooled = await spool(content);
    try {
      await this.#putSpooled(name, spooled);
    } finally {
      await spooled.dispose();
    }
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    segmentsOf(name);
    const command = new GetObjectCommand({ ...this.#place(name), ChecksumMode: 'ENABLED' });
    return this.#absentAsUndefined('get', name, async (abort) => {
      const { Body: body } = await this.#client.send(command, abort);
      return (await body?.transformToByteArray()) ?? new Uint8Array();
    });
  }

  async *read(name: string): AsyncIterable<Uint8Array> {
    segmentsOf(name);
    const command = new GetObjectCommand({ ...this.#place(name), ChecksumMode: 'ENABLED' });
    const found = await this.#absentAsUndefined('read', name, (abort) => this.#client.send(command, abort));
    if (found === undefined) throw missingBlob(name);
    const { Body: body, ContentLength: size } = found;
    const about = { name, size, deadlineMs: this.#options.deadlineMs };
    try {
      yield* streamPieces(body as Readable, about);
    } catch (cause) {
      throw s3Error('read', name, cause);
    }
  }

  async has(name: string): Promise<boolean> {
    segmentsOf(name);
    return (await this.#absentAsUndefined('has', name, (abort) => this.#head(name, abort))) !== undefined;
  }

  async list(prefix: string): Promise<readonly string[]> {
    checkPrefix(prefix);
    const names: string[] = [];
    let token: string | undefined;
    do {
      const page = await this.#ask({ operation: 'list', name: prefix }, (abort) =>
        this.#client.send(
          new ListObjectsV2Command({
            Bucket: this.#options.bucket,
            Prefix: `${this.#options.prefix}${prefix}`,
            ContinuationToken: token,
            MaxKeys: this.#options.listPageSize ?? 1_000,
          }),
          abort,
        ),
      );
      for (const { Key: key } of page.Contents ?? []) if (key !== undefined) names.push(key);
      token = page.NextContinuationToken;
    } while (token !== undefined);
    return names.map((key) => key.slice(this.#options.prefix.length)).toSorted();
  }

  async #putSpooled(name: string, spooled: Spooled): Promise<void> {
    if (spooled.size > BLOB_BYTES_MAX) {
      throw new ClyraError(
        'CLY_BLOB_REFUSED',
        `blob ${name} has ${spooled.size} bytes, at most ${BLOB_BYTES_MAX} fit`,
        {
          retry: 'never',
          context: { name, size: spooled.size },
        },
      );
    }
    const extraMs = Math.ceil(spooled.size / 1_024);
    const isNew = await this.#ask({ operation: 'put', name, extraMs }, async (abort) => {
      try {
        await this.#client.send(this.#putCommand(name, spooled), abort);
        return true;
      } catch (cause) {
        if (statusOf(cause) === 412) return false;
        throw cause;
      }
    });
    await this.#readBack(name, spooled, isNew);
  }

  #putCommand(name: string, spooled: Spooled): PutObjectCommand {
    const { retention, clock } = this.#options;
    return new PutObjectCommand({
      ...this.#place(name),
      Body: spooled.body() as Uint8Array,
      ContentLength: spooled.size,
      ChecksumAlgorithm: 'SHA256',
      ChecksumSHA256: spooled.sha256,
      IfNoneMatch: '*',
      ...(retention === undefined
        ? {}
        : {
            ObjectLockMode: retention.mode === 'compliance' ? 'COMPLIANCE' : 'GOVERNANCE',
            ObjectLockRetainUntilDate: new Date(clock.nowMs() + retention.days * DAY_MS),
          }),
    });
  }

  /** What stands there now must be these bytes, locked if asked for, and the only version that ever was. */
  async #readBack(name: string, spooled: Spooled, isNew: boolean): Promise<void> {
    const found = await this.#ask({ operation: 'put', name }, (abort) => this.#head(name, abort));
    const same = found.ContentLength === spooled.size && (await this.#sha256(name, found)) === spooled.sha256;
    if (!same) {
      throw new ClyraError(
        'CLY_BLOB_CONFLICT',
        `blob ${name} exists with other bytes; blobs are never replaced: two writers disagree, compare their inputs`,
        { retry: 'never', context: { name, sizeFound: found.ContentLength ?? -1, sizeGiven: spooled.size } },
      );
    }
    if (this.#options.retention === undefined) return;
    if (found.ObjectLockMode === undefined || found.ObjectLockRetainUntilDate === undefined) {
      throw unlocked(`blob ${name} stands without a lock`);
    }
    if (isNew && (await this.#versionCount(name)) > 1) throw this.#hidden(name);
  }

  async #sha256(name: string, head: HeadObjectCommandOutput): Promise<string> {
    if (head.ChecksumSHA256 !== undefined) return head.ChecksumSHA256;
    const hash = createHash('sha256');
    for await (const piece of this.read(name)) hash.update(piece);
    return hash.digest('base64');
  }

  #head(name: string, abort: Abort): Promise<HeadObjectCommandOutput> {
    return this.#client.send(new HeadObjectCommand({ ...this.#place(name), ChecksumMode: 'ENABLED' }), abort);
  }

  async #absentAsUndefined<T>(
    operation: string,
    name: string,
    send: (abort: Abort) => Promise<T>,
  ): Promise<T | undefined> {
    const found = await this.#ask({ operation, name }, async (abort) => {
      try {
        return { value: await send(abort) };
      } catch (cause) {
        if (statusOf(cause) === 404 && (cause as Error).name !== 'NoSuchBucket') return undefined;
        throw cause;
      }
    });
    if (found === undefined && this.#options.retention !== undefined && (await this.#versionCount(name)) > 0) {
      throw this.#hidden(name);
    }
    return found?.value;
  }

  /** Versions of exactly this name, delete markers not counted. */
  async #versionCount(name: string): Promise<number> {
    const { Bucket, Key } = this.#place(name);
    const { Versions: versions = [] } = await this.#ask({ operation: 'list', name }, (abort) =>
      this.#client.send(new ListObjectVersionsCommand({ Bucket, Prefix: Key, MaxKeys: 3 }), abort),
    );
    return versions.filter((version) => version.Key === Key).length;
  }

  async #requireLock(): Promise<void> {
    const { bucket } = this.#options;
    const versioning = await this.#ask({ operation: 'open', name: bucket }, (abort) =>
      this.#client.send(new GetBucketVersioningCommand({ Bucket: bucket }), abort),
    );
    const lock = await this.#ask({ operation: 'open', name: bucket }, async (abort) => {
      try {
        return await this.#client.send(new GetObjectLockConfigurationCommand({ Bucket: bucket }), abort);
      } catch (cause) {
        if ((cause as Error).name === 'ObjectLockConfigurationNotFoundError') return undefined;
        throw cause;
      }
    });
    const isLockable = lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled';
    if (!isLockable || versioning.Status !== 'Enabled') throw unlocked(`bucket ${bucket} has no Object Lock`);
  }

  async #ask<T>(about: About, send: (abort: Abort) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const deadlineMs = this.#options.deadlineMs + (about.extraMs ?? 0);
    // Not AbortSignal.timeout: it would go on and cut off a body that is read after the answer.
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs);
    try {
      return await send({ abortSignal: late.signal });
    } catch (cause) {
      throw s3Error(about.operation, about.name, cause);
    } finally {
      clearTimeout(timer);
    }
  }

  #place(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#options.bucket, Key: `${this.#options.prefix}${name}` };
  }

  #hidden(name: string): ClyraError {
    return new ClyraError(
      'CLY_BLOB_HIDDEN',
      `blob ${name} was hidden by a delete marker; its locked version is still there: remove the marker, and find out who set it`,
      { retry: 'never', context: { name, bucket: this.#options.bucket } },
    );
  }
}

function unlocked(what: string): ClyraError {
  return new ClyraError(
    'CLY_BLOB_RETENTION',
    `${what}, and a retention is asked for: make the bucket with Object Lock and versioning`,
    { retry: 'never' },
  );
}
