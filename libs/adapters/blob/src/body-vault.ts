// SPDX-License-Identifier: Apache-2.0
import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { BodyKeys } from './body-keys.ts';

/** A body as it was received, by the digest that its change names. */
export type KeptBody = { readonly tenant: string; readonly digest: string };

const BLOCK_BYTES = 65_536;
const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/**
 * Bodies in the blob store, encrypted under a key of their tenant and of the day on which they expire. Blobs are written
 * once and may lie under a lock; what ends a body's life is the end of its day's key. Equal bodies of a day are one blob.
 */
export class BodyVault {
  readonly #blobs: BlobStore;
  readonly #keys: BodyKeys;

  constructor(blobs: BlobStore, keys: BodyKeys) {
    this.#blobs = blobs;
    this.#keys = keys;
  }

  /** Durable when it resolves. Rejects with the blob store's errors, or CLY_BODY_STORE_KEYS. */
  async keep(body: KeptBody, untilMs: number, content: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    const day = dayAfter(untilMs);
    const key = bodyKey(await this.#keys.make(body.tenant, day), body);
    await this.#blobs.put(nameOf(body, day), sealed(key, content));
  }

  /** undefined where it was not kept, or its day is over. Rejects with CLY_BODY_STORE_DAMAGED for other bytes. */
  async get(body: KeptBody): Promise<Uint8Array | undefined> {
    for (const day of await this.#keys.days(body.tenant)) {
      const dayKey = await this.#keys.find(body.tenant, day);
      const box = dayKey === undefined ? undefined : await this.#blobs.get(nameOf(body, day));
      if (box === undefined || dayKey === undefined) continue;
      return opened(bodyKey(dayKey, body), box, body.digest);
    }
    return undefined;
  }
}

/** The first day, in UTC, on which nothing that was to be kept until then is needed any more. */
export function dayAfter(untilMs: number): string {
  return new Date(untilMs + 86_400_000).toISOString().slice(0, 10).replaceAll('-', '');
}

function nameOf({ tenant, digest }: KeptBody, day: string): string {
  return `bodies/${tenant}/${day}/${digest}`;
}

/** The content is fixed by its digest, so that a block's number is a nonce that never meets two contents. */
function bodyKey(dayKey: Uint8Array, { tenant, digest }: KeptBody): Buffer {
  return Buffer.from(hkdfSync('sha256', dayKey, '', `clyra/body/v0\n${tenant}\n${digest}`, 32));
}

async function* sealed(key: Buffer, content: Uint8Array | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let index = 0;
  for await (const { block, isLast } of blocksOf(content instanceof Uint8Array ? one(content) : content)) {
    const cipher = createCipheriv(ALGORITHM, key, nonceOf(index));
    cipher.setAAD(aadOf(isLast));
    yield Buffer.concat([cipher.update(block), cipher.final(), cipher.getAuthTag()]);
    index += 1;
  }
}

function opened(key: Buffer, box: Uint8Array, digest: string): Uint8Array {
  const blocks: Buffer[] = [];
  try {
    for (let at = 0, index = 0; at < box.length; at += BLOCK_BYTES + TAG_BYTES, index += 1) {
      const block = box.subarray(at, at + BLOCK_BYTES + TAG_BYTES);
      const decipher = createDecipheriv(ALGORITHM, key, nonceOf(index));
      decipher.setAAD(aadOf(at + block.length === box.length));
      decipher.setAuthTag(block.subarray(block.length - TAG_BYTES));
      blocks.push(decipher.update(block.subarray(0, block.length - TAG_BYTES)), decipher.final());
    }
  } catch (cause) {
    throw damaged(digest, cause);
  }
  const body = Buffer.concat(blocks);
  if (digestOf(body) !== digest) throw damaged(digest);
  return body;
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

type Block = { readonly block: Uint8Array; readonly isLast: boolean };

/** Full blocks and a last one, which is marked as such: a cut is not an end. */
async function* blocksOf(content: AsyncIterable<Uint8Array>): AsyncGenerator<Block> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of content) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length > BLOCK_BYTES; rest = rest.subarray(BLOCK_BYTES)) {
      yield { block: rest.subarray(0, BLOCK_BYTES), isLast: false };
    }
  }
  yield { block: rest, isLast: true };
}

function nonceOf(index: number): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeUIntBE(index, 6, 6);
  return nonce;
}

function aadOf(isLast: boolean): Buffer {
  return Buffer.from(`clyra/body-block/v0\n${isLast ? 'last' : 'more'}`);
}

function damaged(digest: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_BODY_STORE_DAMAGED', `the stored body ${digest} is not what was stored: restore it`, {
    retry: 'never',
    context: { digest },
    cause,
  });
}
