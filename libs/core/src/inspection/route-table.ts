// SPDX-License-Identifier: Apache-2.0
import type { Policy, Route } from '../policy/policy.ts';
import { isParameter, templateSegments } from '../policy/route-template.ts';

type Entry = { readonly route: Route; readonly segments: readonly string[] };

/** The routes of a policy by method and number of segments. At most one matches: the compiler refuses overlaps. */
export class RouteTable {
  readonly #entries = new Map<string, Entry[]>();

  constructor(policy: Policy) {
    for (const route of policy.routes) {
      const segments = templateSegments(route.path);
      const key = `${route.method} ${segments.length}`;
      const entries = this.#entries.get(key);
      if (entries === undefined) this.#entries.set(key, [{ route, segments }]);
      else entries.push({ route, segments });
    }
  }

  match(method: string, path: string): Route | undefined {
    const segments = templateSegments(path);
    const entries = this.#entries.get(`${method} ${segments.length}`) ?? [];
    return entries.find((entry) => fits(entry.segments, segments))?.route;
  }
}

function fits(template: readonly string[], segments: readonly string[]): boolean {
  return template.every((part, index) => {
    const segment = segments[index] as string;
    return isParameter(part) ? segment !== '' : part === segment;
  });
}
