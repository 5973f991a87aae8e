// SPDX-License-Identifier: Apache-2.0
import { FirewallScript } from '@clyra/testing/firewall-script';
import { describe, expect, it } from '@jest/globals';
import { digestOf } from '../canonical/digest.ts';
import type { Facts } from '../change/change-body.ts';

type Sql = NonNullable<Facts['sql']>[number];
type Finding = NonNullable<Facts['detectors']>['findings'][number];
type External = NonNullable<Facts['external_detectors']>[number];

const sql = (verdict: Sql['verdict'], codes: readonly string[] = []): Partial<Facts> => ({
  sql: [
    {
      rule: 's',
      pointer: '/sql',
      dialect: 'postgres',
      statement_digest: digestOf('statement'),
      statement_count: 1,
      verdict,
      codes,
    },
  ],
});

describe('SQL safety', () => {
  it.each<[string, object, Partial<Facts>, string]>([
    ['a safe statement', {}, sql('safe'), 'allow'],
    ['none that was analysed', {}, {}, 'block CLY_SQL_NOT_CHECKED'],
    ['an unsafe one', {}, sql('unsafe', ['CLY_SQL_NO_WHERE']), 'block CLY_SQL_NO_WHERE'],
    ['an unsafe one without a code', {}, sql('unsafe'), 'block CLY_SQL_NOT_CHECKED'],
    ['one that no parser reads', {}, sql('held', ['CLY_SQL_UNPARSED']), 'hold CLY_SQL_UNPARSED'],
    ['the same, only warned of', { on_held: 'warn' }, sql('held', ['CLY_SQL_UNPARSED']), 'allow CLY_SQL_UNPARSED'],
    ['a maintenance route', { allow: ['CLY_SQL_TRUNCATE'] }, sql('unsafe', ['CLY_SQL_TRUNCATE']), 'allow'],
    [
      'more than maintenance',
      { allow: ['CLY_SQL_TRUNCATE'] },
      sql('unsafe', ['CLY_SQL_DDL', 'CLY_SQL_TRUNCATE']),
      'block CLY_SQL_DDL',
    ],
    ['no count of rows', { rows_affected: { max: 10 } }, sql('safe'), 'block CLY_SQL_ROWS'],
    ['few rows', { rows_affected: { max: 10 } }, { ...sql('safe'), rows: [{ rule: 's', value: 10 }] }, 'allow'],
    [
      'too many rows',
      { rows_affected: { max: 10 } },
      { ...sql('safe'), rows: [{ rule: 's', value: 11 }] },
      'block CLY_SQL_ROWS',
    ],
  ])('%s', async (_name, rule, facts, verdict) => {
    const script = await FirewallScript.under({ sql_safety: [{ id: 's', routes: '*', dialect: 'postgres', ...rule }] });
    expect(await script.verdict(facts)).toBe(verdict);
  });
});

const found = (...rules: readonly [string, Finding['class']][]): Partial<Facts> => ({
  detectors: {
    pack_digest: digestOf('packs'),
    truncated: false,
    findings: rules.map(([rule, kind]) => ({
      detector: 'd',
      rule,
      class: kind,
      pointer: '/a',
      layer: 'plain' as const,
      count: 2,
    })),
    prompt_delta: { hash: digestOf('prompt'), segments: 3, added: 1, removed: 0 },
  },
});
const INJECTED = found(['injection/override', 'prompt_injection']);

describe('detectors', () => {
  it.each<[string, object, Partial<Facts>, string]>([
    ['nothing found', {}, found(), 'allow'],
    ['nobody looked', {}, {}, 'block CLY_DETECTOR_NOT_CHECKED'],
    ['found in shadow', {}, INJECTED, 'allow CLY_DETECTOR_PROMPT_INJECTION'],
    ['found, to be approved', { effect: 'hold' }, INJECTED, 'hold CLY_DETECTOR_PROMPT_INJECTION'],
    [
      'one rule that blocks',
      { rules: { 'injection/override': 'block' } },
      INJECTED,
      'block CLY_DETECTOR_PROMPT_INJECTION',
    ],
  ])('%s', async (_name, rule, facts, verdict) => {
    const script = await FirewallScript.under({ detectors: [{ id: 'd', routes: '*', packs: ['injection'], ...rule }] });
    expect(await script.verdict(facts)).toBe(verdict);
  });

  it('puts counts and the hash of the prompt into the receipt, and no text', async () => {
    const script = await FirewallScript.under({ detectors: [{ id: 'd', routes: '*', packs: ['injection'] }] });
    const { receipt } = await script.request(INJECTED);
    expect(receipt['detectors']).toEqual([{ rule: 'injection/override', class: 'prompt_injection', count: 2 }]);
    expect(receipt['prompt_delta_hash']).toBe(digestOf('prompt'));
    expect(receipt['reasons']).toMatchObject([{ owasp: ['LLM01:2026', 'ASI01:2025'], mitre_id: 'AML.T0051' }]);
  });
});

const said = (outcome: External['outcome'], outage?: NonNullable<External['outage']>): Partial<Facts> => ({
  external_detectors: [
    { id: 'x', outcome, request_digest: digestOf('r'), duration_ms: 5, ...(outage === undefined ? {} : { outage }) },
  ],
});

describe('external detectors', () => {
  it.each<[string, object, Partial<Facts>, string]>([
    ['all clear', {}, said('clear'), 'allow'],
    ['nobody asked', {}, {}, 'block CLY_EXTERNAL_NOT_CHECKED'],
    ['a verdict', {}, said('likely_deepfake'), 'hold CLY_EXTERNAL_VERDICT'],
    [
      'a verdict that blocks',
      { verdicts: { spoofed_voice: 'block' } },
      said('spoofed_voice'),
      'block CLY_EXTERNAL_VERDICT',
    ],
    [
      'a verdict while outages let through',
      { on_outage: { timeout: 'shadow' }, verdicts: { high_risk_bec: 'block' } },
      said('high_risk_bec'),
      'block CLY_EXTERNAL_VERDICT',
    ],
    ['an outage', {}, said('outage', 'timeout'), 'hold CLY_EXTERNAL_OUTAGE'],
    [
      'an outage that lets through',
      { on_outage: { timeout: 'shadow' } },
      said('outage', 'timeout'),
      'allow CLY_EXTERNAL_OUTAGE',
    ],
    [
      'another class of outage',
      { on_outage: { timeout: 'shadow' } },
      said('outage', 'rejected'),
      'hold CLY_EXTERNAL_OUTAGE',
    ],
  ])('%s', async (_name, rule, facts, verdict) => {
    const script = await FirewallScript.under({
      external_detectors: [{ id: 'x', routes: '*', endpoint: 'e', ...rule }],
    });
    expect(await script.verdict(facts)).toBe(verdict);
  });
});
