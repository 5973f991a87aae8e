// SPDX-License-Identifier: Apache-2.0
import { block, NOTHING, type Primitive } from '../primitive.ts';

/** Default deny: a route the policy does not list is closed. */
export const routeKnown: Primitive = {
  name: 'routes',
  evaluate({ route, facts }) {
    if (route !== undefined) return NOTHING;
    const code = facts.content.startsWith('CLY_ROUTE_') ? facts.content : 'CLY_ROUTE_UNKNOWN';
    return { reasons: [block('routes', code)] };
  },
};
