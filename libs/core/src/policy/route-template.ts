// SPDX-License-Identifier: Apache-2.0
/** `/`-separated segments; `{name}` stands for exactly one. No `%`, dots-only or empty segment: one spelling a path. */
export const ROUTE_TEMPLATE =
  /^\/(?:(?:[A-Za-z0-9_~:@!$&'()*+,;=-][A-Za-z0-9._~:@!$&'()*+,;=-]*|\{[a-z][a-z0-9_]{0,31}\})(?:\/(?!$)|$))*$/;

export type RouteTemplate = { readonly method: string; readonly path: string };

export function templateSegments(path: string): string[] {
  return path.slice(1).split('/');
}

export function isParameter(segment: string): boolean {
  return segment.startsWith('{');
}

/** True where some request would match both: such a pair is refused, so the order of routes never matters. */
export function templatesOverlap(a: RouteTemplate, b: RouteTemplate): boolean {
  if (a.method !== b.method) return false;
  const left = templateSegments(a.path);
  const right = templateSegments(b.path);
  if (left.length !== right.length) return false;
  return left.every((segment, index) => {
    const other = right[index] as string;
    return segment === other || isParameter(segment) || isParameter(other);
  });
}
