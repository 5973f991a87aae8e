// SPDX-License-Identifier: Apache-2.0

import type { PolicyCursor } from './policy-cursor.ts';
import type { BodyStorage, LineageRule, ThreatEntry } from './policy-rules.ts';
import { type RuleScope, readRouteIds } from './rule-scope.ts';
import { isThreatId } from './threat-registry.ts';

const DATASET_RULE = { pattern: /^[A-Za-z0-9_][A-Za-z0-9_.:/$@-]{0,255}$/, what: 'the name of a data set' };
const DATASETS_MAX = 32;

/** What the routes read and write, as people name it: it stands in the receipt of each allowed change. */
export function readLineage(policy: PolicyCursor, scope: RuleScope): LineageRule[] {
  const covered = new Set<string>();
  return policy.items('lineage').map((rule) => {
    rule.objectOf(['route', 'routes', 'reads', 'writes']);
    const routes = readRouteIds(rule, scope);
    for (const id of routes) {
      if (covered.has(id)) rule.member('routes').report(`route ${id} has its lineage already`);
      covered.add(id);
    }
    const reads = rule.textsOrNone('reads', DATASET_RULE);
    const writes = rule.textsOrNone('writes', DATASET_RULE);
    if (reads.length + writes.length === 0) rule.report('write what the routes read, or what they write');
    if (reads.length + writes.length > DATASETS_MAX) rule.report(`at most ${DATASETS_MAX} data sets a rule`);
    return { routes, reads, writes };
  });
}

/** Ten years and what leap days add. */
const RETENTION_SECONDS_MAX = 315_619_200;

export function readBodyStorage(policy: PolicyCursor): BodyStorage {
  const section = policy.member('body_storage');
  if (!section.isAbsent()) section.objectOf(['keep', 'retention_seconds', 'bytes_max', 'spill_policy']);
  return {
    keep: section.oneOf('keep', ['none', 'while_held', 'allowed'], 'none'),
    retention_seconds: section.integer('retention_seconds', { min: 1, max: RETENTION_SECONDS_MAX, fallback: 86_400 }),
    bytes_max: section.integer('bytes_max', { min: 1, max: 1_073_741_824, fallback: 1_048_576 }),
    spill_policy: section.oneOf('spill_policy', ['block'], 'block'),
  };
}

const CODE_RULE = { pattern: /^CLY_[A-Z0-9_]{1,60}$/, what: 'a reason code, or the beginning of several' };
const CLASS_RULE = { pattern: /^[a-z][a-z_]{0,63}$/, what: 'a word such as data_destruction' };

/** Other threat classes and ids than the built-in ones, by reason code. */
export function readThreatMap(policy: PolicyCursor): ThreatEntry[] {
  return policy.items('threat_map').map((entry) => {
    entry.objectOf(['code', 'threat_class', 'owasp', 'mitre_id']);
    for (const id of entry.items('owasp')) {
      if (typeof id.value === 'string' && !isThreatId(id.value)) id.report('the threat registry has no such id');
    }
    const mitre = entry.textOrNull('mitre_id', MITRE_RULE);
    if (mitre !== null && !isThreatId(mitre)) entry.member('mitre_id').report('the threat registry has no such id');
    return {
      code: entry.text('code', CODE_RULE),
      threat_class: entry.text('threat_class', CLASS_RULE),
      owasp: entry.textsOrNone('owasp', OWASP_RULE).slice(0, 8),
      mitre_id: mitre,
    };
  });
}

const OWASP_RULE = {
  pattern: /^[A-Z]{3,4}[0-9]{1,2}:[0-9]{4}$/,
  what: 'an OWASP id with its edition, such as LLM01:2026',
};
const MITRE_RULE = {
  pattern: /^(?:T[0-9]{4}(?:\.[0-9]{3})?|AML\.T[0-9]{4}(?:\.[0-9]{3})?)$/,
  what: 'a MITRE technique such as T1657 or AML.T0051',
};
