// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject } from '@clyra/core/canonical/json-value';
import { type JsonLimits, parseJson } from '@clyra/core/canonical/parse-json';
import { type Correlation, checkCorrelation } from '@clyra/core/change/correlation';
import { ID, onlyMembers, readObject, readText, shapeError } from '@clyra/core/change/shape';
import { ClyraError } from '@clyra/core/kernel/error';

export const RUN_BYTES_MAX = 8_192;

/** No deeper than names are: what commits to a value is made where the keys of evidence are, not by a caller. */
const LIMITS: JsonLimits = { bytesMax: RUN_BYTES_MAX, depthMax: 2, valuesMax: 16 };
const CLOSING = new Set(['run_id', 'actor']);
const OPENING = new Set([...CLOSING, 'correlation']);

export type RunRequest = { readonly runId?: string; readonly correlation?: Correlation };

/** The body of POST /v1/runs, or of a closing. Throws JsonError, CLY_RECORD_SHAPE, or CLY_FENCE_ACTOR for another actor. */
export function readRunRequest(body: Uint8Array, actor: string, kind: 'run.opened' | 'run.closed'): RunRequest {
  if (body.length === 0) return {};
  const document = parseJson(body, LIMITS);
  if (!isJsonObject(document)) throw shapeError('write {"run_id": …} or nothing');
  onlyMembers(document, kind === 'run.opened' ? OPENING : CLOSING);
  if (document['actor'] !== undefined && document['actor'] !== actor) {
    throw new ClyraError('CLY_FENCE_ACTOR', 'the body names another actor than the signed header', { retry: 'never' });
  }
  return {
    ...(document['run_id'] === undefined ? {} : { runId: readText(document, 'run_id', ID) }),
    ...(document['correlation'] === undefined ? {} : { correlation: readCorrelation(document) }),
  };
}

function readCorrelation(document: JsonObject): Correlation {
  const correlation = readObject(document, 'correlation');
  checkCorrelation(correlation);
  return correlation;
}
