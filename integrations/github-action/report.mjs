// SPDX-License-Identifier: Apache-2.0
/** Workflow commands end at a line and take percent signs as escapes. */
const escaped = (text) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
/** What stands in a bundle was written by others: no markup of theirs reaches the page. */
const plain = (text) =>
  String(text)
    .replaceAll(/[^\w .,:;#/@+=()-]/g, '·')
    .slice(0, 200);

/** One error for a bundle that does not hold, with the first place that its report names. */
export function errorLine({ path, verdict, report, against }) {
  if (verdict === 'valid') return '';
  if (verdict === 'disagreement') return `::error::${escaped(`${path}: ${against} says something else`)}\n`;
  const claim = (report.claims ?? []).find(({ status }) => status !== 'PASS');
  const why = report.reason ?? claim?.code ?? '';
  return `::error::${escaped(`${path}: ${verdict} ${why}`)}\n`;
}

/** The page of the job: each bundle with its range, root and every claim as it stands. */
export function summary({ verdict, judged }) {
  const head = verdict === 'verified' ? 'Evidence verified' : `Evidence NOT verified: ${plain(verdict)}`;
  const blocks = judged.map(({ path, verdict: one, report, verifiers }) => {
    const { bundle, policy, trust_root: root, claims = [] } = report;
    const facts = [
      `- verdict: ${plain(one)}, by ${plain(verifiers.join(', '))}, mode ${plain(report.mode ?? '')}`,
      `- policy: ${plain(policy?.name ?? 'none')}; trust root: ${plain(root?.digest ?? 'none was passed')}`,
      ...(bundle
        ? [`- log: ${plain(bundle.origin)} [${bundle.range.start},${bundle.range.end}), root ${plain(bundle.root)}`]
        : []),
    ];
    const rows = claims.map(({ id, status, code }) => `| ${plain(id)} | ${plain(status)} | ${plain(code ?? '')} |`);
    return [`### ${plain(path)}`, ...facts, '', '| claim | status | code |', '|---|---|---|', ...rows].join('\n');
  });
  const limits =
    'A status other than PASS proves nothing. What a bundle does not prove stands in the output of the verifier.';
  return `## ${head}\n\n${blocks.join('\n\n')}\n\n${limits}\n`;
}
