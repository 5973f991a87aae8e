// SPDX-License-Identifier: Apache-2.0
import type { BodyRule } from './body-rules.ts';
import type { PolicyCursor } from './policy-cursor.ts';

/** Whose deliveries a route takes: each kind has its own signature, ids and reading of status codes. */
export type AdapterKind = 'hightouch' | 'rudderstack' | 'segment' | 'generic';

export const ADAPTERS: readonly AdapterKind[] = ['hightouch', 'rudderstack', 'segment', 'generic'];

/** `each`: a change for every record of a batch; `whole`: one for the batch. */
export type BatchRule = 'each' | 'whole';

const BATCHES: readonly BatchRule[] = ['each', 'whole'];
const METHODS = ['POST', 'PUT', 'PATCH'];

/** The adapter of a route; nothing where it names none, so that policies from before keep their digests. */
export function readAdapter(
  route: PolicyCursor,
  other: { readonly method: string; readonly body?: BodyRule },
): { readonly adapter?: AdapterKind; readonly batch?: BatchRule } {
  const member = route.member('adapter');
  if (member.isAbsent()) {
    if (!route.member('batch').isAbsent()) route.member('batch').report('stands without an adapter');
    return {};
  }
  const { method, body } = other;
  if (method !== '' && !METHODS.includes(method)) member.report(`deliveries are ${METHODS.join(', ')}`);
  if (body !== undefined && (body.form !== 'json' || body.items !== null)) {
    member.report('a signature covers the whole body, which is therefore read whole: leave the form of the body out');
  }
  return { adapter: route.oneOf('adapter', ADAPTERS), batch: route.oneOf('batch', BATCHES, 'each') };
}
