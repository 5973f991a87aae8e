// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { chainAfter, chainGenesis, linkTo } from '@clyra/core/change/links';
import type { TopicNames } from '@clyra/core/change/topics';
import { type Artifacts, artifactNeeds } from '@clyra/core/enforcement/artifacts';
import { PartitionFold } from '@clyra/core/enforcement/partition-fold';
import { isPoison, type Poison, type ReadChange, readChange } from '@clyra/core/enforcement/read-change';
import { loadPolicy } from '@clyra/core/policy/load-policy';
import type { Policy } from '@clyra/core/policy/policy';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import type { EnvelopeCodec, Envelopes } from '@clyra/core/ports/envelope-codec';
import type { LogRecord, RecordLog } from '@clyra/core/ports/record-log';
import { parseTrustRoot } from '@clyra/core/signing/parse-trust-root';
import type { TrustRoot } from '@clyra/core/signing/trust-root';
import { readTopic } from '@clyra/testing/read-topic';

export type RefoldOptions = {
  readonly log: RecordLog;
  readonly codec: EnvelopeCodec;
  readonly blobs: BlobStore;
  readonly topics: TopicNames;
};

export type RawRecords = Pick<RefoldOptions, 'codec' | 'blobs'> & {
  readonly changes: readonly (readonly LogRecord[])[];
  readonly receipts: readonly (readonly LogRecord[])[];
};

export type Refolded = {
  /** Problems in words; empty when every receipt is what the raw changes give. */
  readonly problems: readonly string[];
  readonly changeCount: number;
  readonly receiptCount: number;
  readonly duplicateCount: number;
  /** The effective receipt bodies, by partition and offset. */
  readonly receipts: readonly { readonly body: JsonObject; readonly change: JsonObject | undefined }[];
};

/**
 * Folds the raw topics again, offline, with the core alone: one body for each change, equal to the first published
 * one; no two bodies differ for a position; every chain holds.
 */
export async function refold({ log, codec, blobs, topics }: RefoldOptions): Promise<Refolded> {
  const changes = await readTopic(log, topics.changes);
  const receipts = await readTopic(log, topics.receipts);
  return refoldRecords({ codec, blobs, changes, receipts });
}

/** The same from records that were read already: partition by partition, in offset order. */
export async function refoldRecords(options: RawRecords): Promise<Refolded> {
  const { changes, receipts } = options;
  const problems: string[] = [];
  const bodies: { body: JsonObject; change: JsonObject | undefined }[] = [];
  for (const [partition, records] of changes.entries()) {
    const published = await firstReceipts({ options, partition, records: receipts[partition] ?? [], problems });
    bodies.push(...(await refoldPartition({ options, partition, records, published, problems })));
  }
  const changeCount = changes.reduce((sum, records) => sum + records.length, 0);
  const receiptCount = receipts.reduce((sum, records) => sum + records.length, 0);
  return { problems, changeCount, receiptCount, duplicateCount: receiptCount - bodies.length, receipts: bodies };
}

type Published = ReadonlyMap<number, Envelopes['ReceiptEnvelope']>;

type PartitionWork = {
  readonly options: RawRecords;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  readonly problems: string[];
};

async function firstReceipts({ options, partition, records, problems }: PartitionWork): Promise<Published> {
  const first = new Map<number, Envelopes['ReceiptEnvelope']>();
  let chain = chainGenesis(partition);
  for (const record of records) {
    const envelope = await options.codec.decode('ReceiptEnvelope', record.value ?? new Uint8Array());
    const known = first.get(envelope.offset);
    if (known !== undefined) {
      if (digestOf(known.body) !== digestOf(envelope.body))
        problems.push(`two bodies for ${partition}/${envelope.offset}`);
      continue;
    }
    first.set(envelope.offset, envelope);
    chain = chainAfter(chain, digestOf(envelope.body));
    if (chain !== Buffer.from(envelope.chain).toString('hex'))
      problems.push(`chain broken at ${partition}/${envelope.offset}`);
  }
  return first;
}

async function refoldPartition(work: PartitionWork & { readonly published: Published }): Promise<Refolded['receipts']> {
  const { options, partition, records, published, problems } = work;
  const shelf = new Shelf(options.blobs);
  const fold = new PartitionFold(partition, shelf);
  const heads = new Map<string, { seq: number; link: string }>();
  const bodies: { body: JsonObject; change: JsonObject | undefined }[] = [];
  for (const record of records) {
    const read = await readRecord(options.codec, record);
    await shelf.load(read);
    const value = record.value ?? new Uint8Array();
    const raw = { raw: value };
    const folded = fold.fold({ offset: record.offset, appendTimeMs: record.appendTimeMs, read, ...raw });
    if (folded === undefined) throw new Error('a fold from the start gives every record a body');
    const receipt = published.get(record.offset);
    if (receipt === undefined) problems.push(`no receipt for ${partition}/${record.offset}`);
    else if (digestOf(receipt.body) !== folded.digest) problems.push(`another body at ${partition}/${record.offset}`);
    const body = parseRecord(folded.bytes);
    checkTenantChain({ body, bytes: folded.bytes, heads, problems });
    bodies.push({ body, change: isPoison(read) ? undefined : (read.body as unknown as JsonObject) });
  }
  return bodies;
}

type ChainStep = {
  readonly body: JsonObject;
  readonly bytes: Uint8Array;
  readonly heads: Map<string, { seq: number; link: string }>;
  readonly problems: string[];
};

function checkTenantChain({ body, bytes, heads, problems }: ChainStep): void {
  const tenant = body['tenant'] as string;
  const head = heads.get(tenant);
  const expected = head === undefined ? 0 : head.seq + 1;
  if (body['tenant_seq'] !== expected)
    problems.push(`${tenant}: seq ${String(body['tenant_seq'])} instead of ${expected}`);
  if (head !== undefined && body['tenant_prev'] !== head.link) problems.push(`${tenant}: broken link at ${expected}`);
  heads.set(tenant, { seq: expected, link: linkTo(bytes) });
}

async function readRecord(codec: EnvelopeCodec, record: LogRecord): Promise<ReadChange | Poison> {
  if (record.value === null) return { reason: 'CLY_RECORD_EMPTY' };
  try {
    return readChange(await codec.decode('ChangeEnvelope', record.value));
  } catch {
    return { reason: 'CLY_SCHEMA_UNDECODABLE' };
  }
}

class Shelf implements Artifacts {
  readonly #blobs: BlobStore;
  readonly #policies = new Map<string, Policy>();
  readonly #roots = new Map<string, TrustRoot>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  policy(digest: string): Policy | undefined {
    return this.#policies.get(digest);
  }

  trustRoot(digest: string): TrustRoot | undefined {
    return this.#roots.get(digest);
  }

  async load(read: ReadChange | Poison): Promise<void> {
    if (isPoison(read)) return;
    for (const { kind, digest } of artifactNeeds(read.body)) {
      const bytes = await this.#blobs.get(`${kind === 'policy' ? 'policies' : 'trust-roots'}/${digest}`);
      if (bytes === undefined) continue;
      if (kind === 'policy') this.#policies.set(digest, loadPolicy(bytes, digest).policy);
      else this.#roots.set(digest, parseTrustRoot(bytes));
    }
  }
}
