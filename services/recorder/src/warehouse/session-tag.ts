// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '@clyra/core/canonical/digest';

/** What a session says of itself in QUERY_TAG, or a writer in userMetadata: a claim, which anybody can make. */
export type SessionTag = {
  readonly tokenHash?: string;
  readonly runId?: string;
  readonly actorId?: string;
};

const TOKEN = /^[0-9a-f]{32}$/;
const TAG_SIZE_MAX = 8_192;

/**
 * `{"ClyraApprovalToken": "<32 hex digits>", "RunId": …, "ActorId": …}`, with other members beside them. Whatever else
 * stands there is somebody else's tag: the statement then carries no token, and is judged so.
 */
export function readSessionTag(text: string): SessionTag {
  if (text.length > TAG_SIZE_MAX || !text.includes('ClyraApprovalToken')) return {};
  const tag = parsed(text);
  const { ClyraApprovalToken: token, RunId: runId, ActorId: actorId } = tag ?? {};
  return {
    ...(typeof token === 'string' && TOKEN.test(token) ? { tokenHash: digestOf(token) } : {}),
    ...(typeof runId === 'string' ? { runId } : {}),
    ...(typeof actorId === 'string' ? { actorId } : {}),
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}
