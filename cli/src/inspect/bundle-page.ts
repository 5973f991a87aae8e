// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '@clyra/core/canonical/json-value';
import { CORRELATION_NAMES } from '@clyra/core/change/correlation';
import type { VerifyReport } from '@clyra/verifier/report/verify-report';
import type { BundleFolder } from '../bundle/bundle-folder.ts';
import { type Cell, code, facts, mark, page, table, text, time } from './html.ts';
import type { JournalDigest } from './read-journal.ts';

/** A bundle as one page for people: no script, nothing loaded from anywhere. */
export function bundlePage(bundle: BundleFolder, journal: JournalDigest, report: VerifyReport): string {
  const { manifest, head } = bundle;
  const kind = bundle.isExport ? 'Export' : 'Evidence bundle';
  const title = `${kind} ${head.tenant} [${head.range.start},${head.range.end})`;
  return page(title, [
    heading(bundle, title, report),
    claims(report),
    ...(bundle.isExport
      ? [exported(manifest)]
      : [totals(manifest), reconciliation(manifest, journal), metrics(manifest)]),
    partnerNames(journal),
    changes(journal),
    digests(bundle),
    `<h2>What this does not prove</h2><ul>${report.notProved.map((one) => `<li>${text(one)}</li>`).join('')}</ul>`,
  ]);
}

function heading(bundle: BundleFolder, title: string, report: VerifyReport): string {
  const { manifest, head } = bundle;
  const profiles = listOf(manifest['profiles']).map(String).join(', ') || 'none';
  return [
    `<h1>${text(title)}</h1>`,
    `<p class="soft">Log <code>${text(head.origin)}</code> · profiles ${text(profiles)} · separation ${text(manifest['separation'])}</p>`,
    `<p>The verifier says: <strong>${text(report.verdict.replaceAll('_', ' '))}</strong>. ${text(report.reason)}.</p>`,
  ].join('\n');
}

function claims(report: VerifyReport): string {
  const rows = report.claims.map(({ id, status, code: why, message }): readonly Cell[] => [
    id,
    mark(status),
    why === null ? '' : code(why),
    status === 'PASS' ? '' : message,
  ]);
  return `<h2>Claims</h2>${table(`judged under the policy “${report.policy.name}”, mode ${report.mode}`, ['claim', 'status', 'code', 'why'], rows)}`;
}

function totals(manifest: JsonObject): string {
  const decisions = objectOf(manifest['decisions']);
  const runs = objectOf(manifest['runs']);
  const closed = listOf(runs['closed']).map(
    (run) => `${text(objectOf(run)['run_id'])} (${text(objectOf(run)['count'])})`,
  );
  return `<h2>What was decided</h2>${facts([
    ...['allow', 'block', 'hold', 'recorded'].map((name): [string, Cell] => [name, String(decisions[name] ?? 0)]),
    ['runs closed', { html: closed.join(', ') || '–' }],
    ['runs open at the end', listOf(runs['open']).map(String).join(', ') || '–'],
  ])}`;
}

function reconciliation(manifest: JsonObject, journal: JournalDigest): string {
  const found = objectOf(manifest['reconciliation']);
  const counts = [
    'observations',
    'guarded',
    'matched',
    'exceeded',
    'reused',
    'unattributed',
    'claimed_unproved',
    'unjudged',
    'unobserved',
  ];
  const coverage = listOf(manifest['coverage'])
    .map(objectOf)
    .map((one): readonly Cell[] => [
      String(one['source_id']),
      one['scope'] === null ? 'not said' : String(one['scope']),
      String(one['guarded']),
      listOf(one['uncovered']).map(String).join(', ') || '–',
      listOf(one['blind_spots'])
        .map((spot) => spotName(objectOf(spot)))
        .join(', ') || '–',
      String(one['gaps']),
    ]);
  const findings = journal.findings.map(({ status, reason, leaf, eventId }): readonly Cell[] => [
    mark(status),
    reason,
    String(leaf),
    eventId === null ? '–' : code(eventId),
  ]);
  return [
    '<h2>What really happened</h2>',
    facts([
      ['state', mark(String(found['state']))],
      [
        'told until (horizon)',
        found['horizon'] === 0 ? 'a guarded source has told nothing yet' : time(found['horizon']),
      ],
      ...counts.map((name): [string, Cell] => [name.replaceAll('_', ' '), String(found[name] ?? 0)]),
    ]),
    coverage.length > 0
      ? table(
          'what the sources could see',
          ['source', 'scope', 'guarded', 'not covered', 'blind spots', 'gaps'],
          coverage,
        )
      : '',
    findings.length > 0
      ? table('changes that were not permitted so', ['status', 'reason', 'leaf', 'event'], findings)
      : '',
    outages(manifest),
  ].join('\n');
}

function outages(manifest: JsonObject): string {
  const rows = listOf(manifest['outages'])
    .map(objectOf)
    .map((one): readonly Cell[] => [
      String(one['component']),
      time(one['failed_at']),
      time(one['restored_at']),
      code(String(one['cause'])),
      String(one['changes_refused']),
    ]);
  return rows.length === 0
    ? ''
    : table('outages', ['component', 'failed', 'restored', 'cause', 'changes refused'], rows);
}

function spotName(spot: JsonObject): string {
  return spot['relation'] === null ? String(spot['code']) : `${String(spot['code'])} (${String(spot['relation'])})`;
}

function metrics(manifest: JsonObject): string {
  const groups = ['governance', 'performance', 'cost', 'security'].flatMap((name) => leavesOf(manifest[name], name));
  const rows = groups.map(([name, value]): readonly Cell[] => [name, value]);
  const reasons = listOf(objectOf(manifest['security'])['reasons'])
    .map(objectOf)
    .map((one): readonly Cell[] => [code(String(one['code'])), String(one['effect']), String(one['count'])]);
  return [
    '<h2>Figures</h2>',
    reasons.length > 0 ? table('reasons that were given', ['reason', 'effect', 'times'], reasons) : '',
    table('all that can be counted from the lines', ['figure', 'value'], rows),
  ].join('\n');
}

function leavesOf(value: JsonValue | undefined, name: string): readonly (readonly [string, string])[] {
  if (typeof value === 'number') return [[name.replaceAll('_', ' '), String(value)]];
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([member, inner]) => leavesOf(inner, `${name} · ${member}`));
}

function exported(manifest: JsonObject): string {
  const cut = objectOf(manifest['export']);
  const scope = objectOf(cut['scope']);
  return `<h2>Cut from another bundle</h2>${facts([
    ['manifest', code(String(cut['of']))],
    ['scope', scope['kind'] === 'run' ? `run ${String(scope['run_id'])}` : 'a selection of lines'],
  ])}`;
}

function partnerNames({ runs }: JournalDigest): string {
  if (runs.length === 0) return '';
  const rows = runs.map(({ leaf, runId, names, calls }): readonly Cell[] => [
    String(leaf),
    runId,
    ...names,
    [...calls].join(', ') || '–',
  ]);
  const head = ['leaf', 'run', ...CORRELATION_NAMES.map((name) => name.replaceAll('_', ' ')), 'calls of its changes'];
  return `<h2>Names in logs of partners</h2>${table('as whoever opened the run gave them', head, rows)}`;
}

function changes(journal: JournalDigest): string {
  const rows = journal.changes.map((one): readonly Cell[] => [
    String(one.leaf),
    time(one.decidedAtMs),
    one.kind,
    one.decision === null ? '–' : mark(one.decision),
    one.who,
    one.where,
    one.why,
  ]);
  const rest = journal.lines - rows.length;
  return [
    '<h2>Lines</h2>',
    `<p class="soft">${journal.lines} lines, of which ${journal.replaced} stand as hashes.</p>`,
    table(
      'changes and their receipts, in order',
      ['leaf', 'decided (UTC)', 'kind', 'decision', 'actor', 'route', 'reasons'],
      rows,
    ),
    rest > 0 ? `<p class="soft">${rest} more lines are not listed here.</p>` : '',
  ].join('\n');
}

function digests({ manifest, manifestDigest, head }: BundleFolder): string {
  const previous = manifest['previous_manifest'];
  return `<h2>Digests</h2>${facts([
    ['manifest.json', code(manifestDigest)],
    ['root', code(head.root)],
    ['trust root', code(String(manifest['trust_root']))],
    ['manifest before', typeof previous === 'string' ? code(previous) : '–'],
  ])}`;
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
