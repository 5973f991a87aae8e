// SPDX-License-Identifier: Apache-2.0
const LABEL = 'Evidence';
const GOOD = '#2d7d32';
const BAD = '#b3261e';
const CHAR_WIDTH = 6.6;
const PADDING = 12;

const WORDS = {
  policy_not_met: 'policy not met',
  io_error: 'could not be read',
  no_bundle: 'no bundle',
  disagreement: 'verifiers disagree',
};

/**
 * The badge: `Evidence | Verified` only where every bundle is valid under the policy. Its title says under which policy and
 * trust root, which claims passed and which did not, so that nobody reads more into it.
 */
export function badge({ verdict, judged }) {
  const message = verdict === 'verified' ? 'Verified' : `not verified: ${WORDS[verdict] ?? verdict}`;
  return svg(message, verdict === 'verified' ? GOOD : BAD, titleOf(verdict, judged));
}

function titleOf(verdict, judged) {
  const [first] = judged;
  if (first === undefined) return 'No bundle was found, so nothing was verified.';
  const { policy, trust_root: root } = first.report;
  const statusOf = (status) => {
    const ids = judged.flatMap(({ report }) => (report.claims ?? []).filter((claim) => claim.status === status));
    return [...new Set(ids.map(({ id }) => id))];
  };
  const parts = [`${judged.length === 1 ? 'One bundle' : `${judged.length} bundles`}: ${verdict.replaceAll('_', ' ')}`];
  parts.push(
    `policy ${policy?.name ?? 'none'}`,
    `trust root ${root?.digest.slice(0, 16) ?? 'none: nobody is named as author'}`,
  );
  const passed = statusOf('PASS').filter(
    (id) => !['FAIL', 'PARTIAL', 'ABSENT', 'UNSUPPORTED'].some((one) => statusOf(one).includes(id)),
  );
  parts.push(`holds: ${passed.join(', ') || 'nothing'}`);
  for (const status of ['FAIL', 'PARTIAL', 'ABSENT', 'UNSUPPORTED']) {
    if (statusOf(status).length > 0) parts.push(`${status}: ${statusOf(status).join(', ')}`);
  }
  return parts.join('; ');
}

function svg(message, colour, title) {
  const left = Math.round(LABEL.length * CHAR_WIDTH + PADDING);
  const right = Math.round(message.length * CHAR_WIDTH + PADDING);
  const text = (x, content) => `<text x="${x}" y="14">${escaped(content)}</text>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${left + right}" height="20" role="img" aria-label="${LABEL}: ${escaped(message)}">
<title>${escaped(title)}</title>
<rect width="${left}" height="20" fill="#444"/><rect x="${left}" width="${right}" height="20" fill="${colour}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
${text(left / 2, LABEL)}
${text(left + right / 2, message)}
</g>
</svg>
`;
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
function escaped(text) {
  return text.replaceAll(/[&<>"']/g, (one) => ENTITIES[one]).replaceAll(/[^\u0020-\u007e]/g, '·');
}
