// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import type { RequestContext } from './primitive.ts';

/** A scope by what people call it, and as it stands in a key. */
export type Scope = { readonly label: string; readonly key: string };

export function scopeOf(label: string): Scope {
  return { label, key: digestOf(label).slice(0, 32) };
}

const TENANT: readonly Scope[] = [scopeOf('tenant')];

/**
 * What counts as one run: the open run that the request names, and in any case its actor on its route, so that a fresh
 * run for each request evades nothing.
 */
export function runScopes({ change, actor, route }: RequestContext): readonly Scope[] {
  const implicit = scopeOf(`actor:${actor} route:${route?.id ?? ''}`);
  return change.run_id === undefined ? [implicit] : [scopeOf(`run:${change.run_id}`), implicit];
}

export function scopesFor(kind: 'run' | 'actor' | 'route' | 'tenant', context: RequestContext): readonly Scope[] {
  switch (kind) {
    case 'run':
      return runScopes(context);
    case 'actor':
      return [scopeOf(`actor:${context.actor}`)];
    case 'route':
      return [scopeOf(`route:${context.route?.id ?? ''}`)];
    case 'tenant':
      return TENANT;
  }
}
