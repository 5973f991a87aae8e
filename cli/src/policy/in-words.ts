// SPDX-License-Identifier: Apache-2.0
import type { RouteExplained } from '@clyra/core/enforcement/trial/explain-route';
import type { Replay } from '@clyra/core/enforcement/trial/replay-journal';
import type { CasesRun } from '@clyra/core/enforcement/trial/run-cases';
import type { LintedPolicy } from '@clyra/core/policy/compile-policy';
import type { PolicyChange } from '@clyra/core/policy/diff-policies';
import { problemLine } from '@clyra/core/policy/policy-problem';

const LISTED_MAX = 100;

export function lintInWords({ compiled, problems, remarks }: LintedPolicy): string {
  const lines = [
    ...problems.map((problem) => `✗ ${problemLine(problem)}`),
    ...remarks.map((remark) => `! ${problemLine(remark)}`),
  ];
  const ending =
    compiled === undefined
      ? `${problems.length} problems`
      : `✓ ${compiled.policy.name}: ${compiled.policy.routes.length} routes, ${remarks.length} remarks, digest ${compiled.digest}`;
  return [...lines, ending].join('\n');
}

export function casesInWords({ results, untouched }: CasesRun): string {
  const failed = results.filter(({ passed }) => !passed);
  return [
    ...failed.flatMap(({ name, line, expected, found }) => [
      `✗ line ${line}: ${name}`,
      `    expected ${expected}`,
      `    found    ${found}`,
    ]),
    ...(untouched.length === 0 ? [] : [`! no case touches ${untouched.join(', ')}`]),
    `${failed.length === 0 ? '✓' : '✗'} ${results.length - failed.length} of ${results.length} cases`,
  ].join('\n');
}

const BATCHES = { each: 'a change for each record', whole: 'a change for each batch' } as const;

export function routeInWords(explained: RouteExplained | undefined): string {
  if (explained === undefined) return '✗ no route matches: the request is blocked (CLY_ROUTE_UNKNOWN)';
  const { route, rules } = explained;
  return [
    `route ${route.id} (${route.mode}) to ${route.upstream}, bodies ${route.schema === null ? 'unchecked' : `as ${route.schema}`}`,
    ...(route.adapter === undefined
      ? []
      : [`  deliveries of ${route.adapter} only, ${BATCHES[route.batch ?? 'each']}`]),
    ...rules.map(({ section, id, rule }) => `  ${section}${id === '' ? '' : `/${id}`}  ${JSON.stringify(rule)}`),
    ...(route.effects === null ? [] : [`  grants  ${JSON.stringify(route.effects)}`]),
  ].join('\n');
}

const SIGNS: Readonly<Record<PolicyChange['effect'], string>> = { widens: '!', narrows: ' ', other: '?' };

export function diffInWords(changes: readonly PolicyChange[]): string {
  if (changes.length === 0) return '✓ the same policy';
  const wider = changes.filter(({ effect }) => effect === 'widens').length;
  return [
    ...changes.map(
      ({ what, change, effect, members }) =>
        `${SIGNS[effect]} ${what} ${change}${members.length === 0 ? '' : `: ${members.join(', ')}`} (${effect})`,
    ),
    `${changes.length} changes; ${wider} admit more`,
  ].join('\n');
}

export function replayInWords({ requests, same, uncertain, changed }: Replay): string {
  return [
    ...changed.slice(0, LISTED_MAX).map((one) => {
      const codes = (list: readonly string[]): string => (list.length === 0 ? '' : ` (${list.join(', ')})`);
      const mark = one.uncertain ? '?' : '!';
      return `${mark} ${one.event_id} ${one.route ?? '–'}: ${one.was}${codes(one.was_codes)} → ${one.now}${codes(one.now_codes)}`;
    }),
    ...(changed.length > LISTED_MAX ? [`  and ${changed.length - LISTED_MAX} more (--json lists all)`] : []),
    `${requests} requests: ${same} decided the same, ${changed.length - uncertain} otherwise, ${uncertain} for want of facts uncertain`,
  ].join('\n');
}
