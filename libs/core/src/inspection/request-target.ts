// SPDX-License-Identifier: Apache-2.0
/** The path of a request target, and the query as it stands (without `?`), or null where there is none. */
export type RequestTarget = { readonly path: string; readonly query: string | null };

export const TARGET_LENGTH_MAX = 8_192;
const PATH = /^\/[A-Za-z0-9._~:@!$&'()*+,;=/-]*$/;
const QUERY = /^[A-Za-z0-9._~:@!$&'()*+,;=/?%[\]|{}^-]*$/;

/**
 * Origin-form only (RFC 9112 §3.2.1), and each path in one spelling: percent-encoding, empty and dot segments are
 * refused, since the upstream may read them as another path than the one that was matched.
 */
export function parseTarget(target: string): RequestTarget | undefined {
  if (target.length > TARGET_LENGTH_MAX) return undefined;
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? null : target.slice(mark + 1);
  if (!PATH.test(path) || path.includes('//')) return undefined;
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return undefined;
  if (query !== null && !QUERY.test(query)) return undefined;
  return { path, query };
}
