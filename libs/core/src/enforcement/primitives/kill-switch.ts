// SPDX-License-Identifier: Apache-2.0
import { block, NOTHING, type Primitive } from '../primitive.ts';

/** The scopes a request falls under, most general first. */
export function switchScopes(routeId: string | undefined, actor: string): string[] {
  return ['tenant', ...(routeId === undefined ? [] : [`route:${routeId}`]), `actor:${actor}`];
}

export const SWITCH_SCOPE =
  /^(?:tenant|route:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}|actor:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127})$/;

/** Engaged by one operator, lifted by two; while engaged nothing under its scope is allowed. */
export const killSwitch: Primitive = {
  name: 'kill_switch',
  evaluate({ route, actor, state }) {
    const engaged = switchScopes(route?.id, actor).find((scope) => state.get(`switch/${scope}`) !== undefined);
    return engaged === undefined ? NOTHING : { reasons: [block('kill_switch', 'CLY_KILL_SWITCH', engaged)] };
  },
};
