// SPDX-License-Identifier: Apache-2.0
import type { JsonObject } from '@clyra/core/canonical/json-value';
import { parseRecord } from '@clyra/core/canonical/record';
import { readObservation } from '@clyra/core/evidence/observation-body';
import { ClyraError } from '@clyra/core/kernel/error';
import type { EnvelopeCodec } from '@clyra/core/ports/envelope-codec';
import type { LogRecord } from '@clyra/core/ports/record-log';
import type { SourceIdentity } from '../observation/observation-draft.ts';
import { decodeOrSkip } from './decode-or-skip.ts';

/** undefined for what is not of this source, or no observation at all: only recorders may write this topic. */
export function ownObservation(
  { codec, identity }: { readonly codec: EnvelopeCodec; readonly identity: SourceIdentity },
  record: LogRecord,
): JsonObject | undefined {
  const envelope = decodeOrSkip(codec, 'ObservationEnvelope', record.value);
  const { tenant, sourceId } = identity;
  if (envelope?.tenant !== tenant || envelope.source_id !== sourceId) return undefined;
  try {
    const body = parseRecord(envelope.body);
    readObservation(body);
    return body['tenant'] === tenant && body['source_id'] === sourceId ? body : undefined;
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
