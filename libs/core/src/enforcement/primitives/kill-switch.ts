// SPDX-License-Identifier: Apache-2.0
import type { Claimed } from '../../change/change-body.ts';
import { block, NOTHING, type Primitive } from '../primitive.ts';

/** The scopes a request falls under, most general first. */
function switchScopes(routeId: string | undefined, actors: readonly string[]): string[] {
  return ['tenant', ...(routeId === undefined ? [] : [`route:${routeId}`]), ...actors.map((actor) => `actor:${actor}`)];
}

export const SWITCH_SCOPE =
  /^(?:tenant|route:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}|actor:[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127})$/;

/** Engaged by one operator, lifted by two; while engaged nothing under its scope is allowed. */
export const killSwitch: Primitive = {
  name: 'kill_switch',
  evaluate({ route, facts, state }) {
    if (state.count('switch') === 0) return NOTHING;
    const scopes = switchScopes(route?.id, actorsOf(facts.actors));
    const engaged = scopes.find((scope) => state.get(`switch/${scope}`) !== undefined);
    return engaged === undefined ? NOTHING : { reasons: [block('kill_switch', 'CLY_KILL_SWITCH', engaged)] };
  },
};

/**
 * Every actor that the request names, and the one that its credential stands for: where the policy lets them differ,
 * naming another must not take anybody out from under a switch. A list in the credential only says who may be named.
 */
function actorsOf(actors: readonly Claimed[]): string[] {
  const proved = actors.filter((claim) => claim.from === 'credential');
  const named = actors.filter((claim) => claim.from !== 'credential');
  return [...named, ...(proved.length === 1 || named.length === 0 ? proved : [])].map((claim) => claim.value);
}
