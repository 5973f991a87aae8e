// SPDX-License-Identifier: Apache-2.0
import type { Claim, Failure, Location } from './report/claim.ts';
import type { VerifyReport } from './report/verify-report.ts';

const FAILURES_SHOWN_MAX = 20;
const VERDICTS: Readonly<Record<VerifyReport['verdict'], string>> = {
  valid: 'VALID',
  invalid: 'INVALID',
  malformed: 'MALFORMED',
  unsupported: 'UNSUPPORTED',
  policy_not_met: 'POLICY NOT MET',
  io_error: 'NOT READ',
};

/** The report for people: claims, what is wrong, findings, what is not proved; the verdict is the last line. */
export function formatReport(report: VerifyReport): string {
  const blocks = [
    headBlock(report),
    table(report.claims),
    failuresBlock(report.failures, report.failuresTotal),
    findingsBlock(report),
    ['What this does not prove', ...report.notProved.map((text) => `  - ${text}`)].join('\n'),
    trustBlock(report),
    `${VERDICTS[report.verdict]} (exit ${report.exitCode}): ${printable(report.reason)}`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function headBlock(report: VerifyReport): string {
  const { bundle } = report;
  const head = `Bundle ${printable(report.directory)}`;
  if (bundle === null) {
    return head;
  }
  return [
    head,
    `  tenant ${bundle.tenant}, log ${printable(bundle.origin)}, leaves ${bundle.range.start} to ${bundle.range.end - 1}`,
    `  root ${bundle.root}`,
    `  manifest ${bundle.manifestDigest}`,
  ].join('\n');
}

function table(claims: readonly Claim[]): string {
  const rows = claims.map((claim) => {
    const detail = [claim.code, formatLocation(claim.location)]
      .filter((part) => part !== null && part !== '')
      .join(' ');
    return `  ${claim.id.padEnd(15)} ${claim.status.padEnd(11)} ${detail}`.trimEnd();
  });
  return ['Claims', ...rows].join('\n');
}

function failuresBlock(failures: readonly Failure[], total: number): string {
  if (total === 0) {
    return '';
  }
  const shown = failures.slice(0, FAILURES_SHOWN_MAX);
  const rows = shown.map(
    (failure) =>
      `  ${failure.claim}: ${failure.code} at ${formatLocation(failure.location)}: ${printable(failure.message)}`,
  );
  const hidden = total - shown.length;
  return [`Failures (${total})`, ...rows, ...(hidden > 0 ? [`  and ${hidden} more`] : [])].join('\n');
}

function findingsBlock(report: VerifyReport): string {
  if (report.findings === null) {
    return '';
  }
  const { counts, listed } = report.findings;
  const { matched, ...others } = counts;
  const found = Object.values(others).reduce((sum, count) => sum + count, 0);
  const summary = Object.entries(counts).map(([status, count]) => `${status} ${count}`);
  const rows = listed.map(
    (finding) =>
      `  ${finding.status} (${finding.reason}): observation ${finding.observationId}, leaf ${finding.leaf}, line ${finding.line}`,
  );
  const hidden = found - listed.length;
  const share = conclusiveShare(report.findings);
  const conclusive = share === null ? '' : `; lineage conclusive ${share} %`;
  const title = `Findings: ${found} of ${found + matched} judged effects (${summary.join(', ')})${conclusive}`;
  return [title, ...rows, ...(hidden > 0 ? [`  and ${hidden} more`] : [])].join('\n');
}

/** Matched among judged effects in per cent, cut off behind the second place: short of all is never written as 100. */
export function conclusiveShare(findings: VerifyReport['findings']): string | null {
  const counts = Object.values(findings?.counts ?? {});
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (findings === null || total === 0) return null;
  return (Math.floor((findings.counts.matched * 10_000) / total) / 100).toFixed(2);
}

function trustBlock(report: VerifyReport): string {
  const { trustRoot } = report;
  const single = trustRoot?.singleOperator === true ? ', single operator' : '';
  const root = trustRoot === null ? 'none passed' : `${trustRoot.digest} (version ${trustRoot.version}${single})`;
  const named = report.bundle === null ? [] : [`  the bundle names ${report.bundle.trustRootNamed}`];
  return [
    `Trust root ${root}`,
    ...named,
    `Policy "${printable(report.policy.name)}" requires ${report.policy.require.join(', ')}`,
    `Mode ${report.mode}, ${report.verifier.name} ${report.verifier.version}`,
  ].join('\n');
}

/** For people: `journal.jsonl, lines 1 to 64, byte 12 (receipt.body.seq)`. */
export function formatLocation(location: Location | null): string {
  if (location === null) {
    return '';
  }
  const { file, line, lineTo, byte, member } = location;
  const lines =
    line === undefined
      ? ''
      : lineTo === undefined || lineTo === line
        ? `, line ${line}`
        : `, lines ${line} to ${lineTo}`;
  const inner = member === undefined || member === '' ? '' : ` (${member})`;
  return printable(`${file}${lines}${byte === undefined ? '' : `, byte ${byte}`}${inner}`);
}

/** Text from a bundle must not move the cursor of a terminal or fake a line of this report. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd').slice(0, 500);
}
