// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';
import { parseRecord } from '@clyra/core/canonical/record';
import { readObservation, type TransactionBody } from '@clyra/core/evidence/observation-body';
import { readTopic } from '@clyra/testing/read-topic';
import type { FaultWorld } from '../world/fault-world.ts';
import { type Committed, relationText } from './committed.ts';

export type Observed = {
  /** First occurrences, in the order of the log. */
  readonly transactions: readonly (Committed & { readonly observationId: string })[];
  /** Records that say again what stood there. */
  readonly duplicateCount: number;
  readonly watermarkCount: number;
  /** When the broker took each. */
  readonly gapTimesMs: readonly number[];
  /** What must never be, in words: two bodies under one id, a commit that an earlier watermark said was complete. */
  readonly problems: readonly string[];
};

/** Everything that the recorder has put into the log. */
export async function readObservations(world: FaultWorld): Promise<Observed> {
  const digests = new Map<string, string>();
  const transactions: (Committed & { observationId: string })[] = [];
  const problems: string[] = [];
  const gapTimesMs: number[] = [];
  const counts = { duplicate: 0, watermark: 0 };
  let coversUntilMs = 0;
  for (const record of (await readTopic(world.log, world.topics.observations)).flat()) {
    const envelope = await world.codec.decode('ObservationEnvelope', record.value ?? new Uint8Array());
    const body = readObservation(parseRecord(envelope.body));
    const digest = digestOf(envelope.body);
    const known = digests.get(body.observation_id);
    if (known !== undefined) {
      counts.duplicate += 1;
      if (known !== digest) problems.push(`two bodies for ${body.observation_id}`);
      continue;
    }
    digests.set(body.observation_id, digest);
    if (body.kind === 'transaction') {
      if (body.committed_at <= coversUntilMs) problems.push(`${body.commit_end_lsn} stands after its watermark`);
      transactions.push({ observationId: body.observation_id, ...committedOf(body) });
    } else {
      if (body.kind === 'gap') gapTimesMs.push(record.appendTimeMs);
      if (body.kind !== 'watermark') continue;
      counts.watermark += 1;
      coversUntilMs = Math.max(coversUntilMs, body.covers_until);
    }
  }
  const { duplicate, watermark } = counts;
  return { transactions, duplicateCount: duplicate, watermarkCount: watermark, gapTimesMs, problems };
}

type Seen = TransactionBody & { readonly xid?: unknown; readonly ddl?: { readonly count: number } };

/** A relation of which only the schema changed has no rows to compare: it is in the count of schema changes. */
function committedOf(body: Seen): Committed {
  const written = body.relations.filter((one) => one.inserts + one.updates + one.deletes + one.truncates > 0);
  return {
    xid: String(body.xid),
    commitEndLsn: body.commit_end_lsn,
    relations: written.map((one) => relationText(`${one.schema}.${one.name}`, one)).sort(),
    tokenHashes: [...body.token_hashes].sort(),
    ddlCount: body.ddl?.count ?? 0,
  };
}
