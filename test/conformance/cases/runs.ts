// SPDX-License-Identifier: Apache-2.0
import type { LogBuilder } from '@clyra/verifier/testing/log-builder';
import { hexOf, type Loose, type TestKey } from '@clyra/verifier/testing/primitives';
import { LINE, writeRequest } from '@clyra/verifier/testing/standard-bundle';
import { at, BASE, type ConformanceCase, edited, KEYS, makeCase } from '../conformance-case.ts';

const OPEN = 'That the decisions themselves are right.';
const body = (
  [name, wanted, why]: readonly [name: string, wanted: readonly [string, string], why: string],
  index: number,
  bend: (body: Loose) => void,
): ConformanceCase => makeCase([name, [1, ...wanted], why, OPEN], { bundle: edited({ receipt: at(index, bend) }) });

export const RUNS: readonly ConformanceCase[] = [
  body(
    ['seq-gap', ['completeness', 'CLY_RUN_GAP'], 'A body of the run is missing.'],
    LINE.allowed,
    (one) => (one.seq = 2),
  ),
  body(
    ['seq-repeat', ['completeness', 'CLY_RUN_GAP'], 'A number of the run stands twice.'],
    LINE.allowed,
    (one) => (one.seq = 0),
  ),
  body(
    ['prev-flip', ['order', 'CLY_RUN_LINK'], 'A run’s chain that does not link.'],
    LINE.allowed,
    (one) => (one.prev = hexOf('x')),
  ),
  body(
    ['genesis-other-run', ['order', 'CLY_RUN_LINK'], 'The beginning of another run.'],
    LINE.runOpened,
    (one) => (one.prev = hexOf('clyra/run/v0\nacme\nrun-2')),
  ),
  body(
    ['cross-run-splice', ['completeness', 'CLY_RUN_GAP'], 'A body put into another run.'],
    LINE.allowed,
    (one) => (one.run_id = 'run-2'),
  ),
  body(
    ['close-count-low', ['completeness', 'CLY_RUN_COUNT'], 'The end of a run counts less than it had.'],
    LINE.runClosed,
    (one) => (one.count = 1),
  ),
  makeCase(['close-missing', [1, 'completeness', 'CLY_BUNDLE_CUT'], 'A range that ends without a sealed cut.', OPEN], {
    bundle: edited({
      lines: (lines) => lines.pop(),
      manifest: (manifest) => Object.assign(manifest, { cut: BASE.manifest.cut, engine: BASE.manifest.engine }),
    }),
  }),
  makeCase(['record-after-close', [1, 'completeness', 'CLY_RUN_AFTER_CLOSE'], 'A line of a run after its end.', OPEN], {
    bundle: edited({
      more: (builder) => {
        builder.decide('run.closed', { change: { run_id: 'run-1' }, receipt: { count: 2 }, run: 'run-1' });
        writeRequest(builder, 'block', 'run-1');
      },
    }),
  }),
  body(
    [
      'offset-gap-undeclared',
      ['order', 'CLY_ORDER_PREVIOUS_OFFSET'],
      'Each body signs which offsets before it are empty.',
    ],
    LINE.blocked,
    (one) => (one.previous_offset = 0),
  ),
  body(
    ['offset-repeat', ['order', 'CLY_ORDER_OFFSET'], 'An offset stands twice.'],
    LINE.blocked,
    (one) => (one.offset -= 2),
  ),
  body(
    ['receipt-replayed-other-log', ['integrity', 'CLY_LINE_BINDING'], 'A receipt of another stream.'],
    LINE.blocked,
    (one) => (one.stream_id = 'cd'.repeat(16)),
  ),
  body(
    ['receipt-other-tenant', ['integrity', 'CLY_LINE_TENANT'], 'A receipt of another tenant.'],
    LINE.blocked,
    (one) => (one.tenant = 'other'),
  ),
  body(
    ['receipt-other-change', ['integrity', 'CLY_LINE_BINDING'], 'A receipt that answers another change.'],
    LINE.blocked,
    (one) => (one.change_digest = hexOf('x')),
  ),
  body(
    ['tenant-seq-gap', ['completeness', 'CLY_CHAIN_GAP'], 'A body of the tenant is missing.'],
    LINE.blocked,
    (one) => (one.tenant_seq += 1),
  ),
  body(
    ['tenant-prev-flip', ['order', 'CLY_CHAIN_LINK'], 'The tenant’s chain does not link.'],
    LINE.blocked,
    (one) => (one.tenant_prev = hexOf('x')),
  ),
  body(
    ['decided-at-falls', ['order', 'CLY_ORDER_TIME'], 'Tenant time never falls.'],
    LINE.blocked,
    (one) => (one.decided_at = 1),
  ),
  makeCase(
    [
      'observation-repeated',
      [1, 'order', 'CLY_ORDER_REPEATED'],
      'A send whose answer was lost is one leaf, not two.',
      OPEN,
    ],
    {
      bundle: edited({
        observation: at(LINE.bypass, (one) =>
          Object.assign(one, { commit_end_lsn: '0/1', observation_id: hexOf('sys\n1\n0/1\n0').slice(0, 32) }),
        ),
      }),
    },
  ),
  makeCase(
    ['observation-id-other', [1, 'integrity', 'CLY_LINE_BINDING'], 'An observation’s id follows from its place.', OPEN],
    {
      bundle: edited({ observation: at(LINE.transaction, (one) => (one.observation_id = 'ef'.repeat(16))) }),
    },
  ),
];

const totals = (name: string, bend: (totals: Loose) => void, why: string): ConformanceCase =>
  makeCase([name, [1, 'reconciliation', 'CLY_RECONCILE_TOTAL'], why, OPEN], {
    bundle: edited({ manifest: (manifest) => bend(manifest.reconciliation) }),
  });
const lines = (
  [name, code, why]: readonly [name: string, code: string, why: string],
  bend: (lines: Loose[]) => void,
): ConformanceCase => makeCase([name, [1, 'reconciliation', code], why, OPEN], { bundle: edited({ lines: bend }) });

export const RECONCILIATION: readonly ConformanceCase[] = [
  lines(
    ['finding-whitewashed', 'CLY_RECONCILE_LINE', 'A bypass called a match.'],
    (all) => (all[LINE.unattributed].status = 'matched'),
  ),
  lines(['finding-dropped', 'CLY_RECONCILE_MISSING', 'A finding left out.'], (all) => all.splice(LINE.unattributed, 1)),
  lines(['finding-invented', 'CLY_RECONCILE_EXTRA', 'A finding too many.'], (all) =>
    all.splice(LINE.runClosed, 0, { ...all[LINE.unattributed], leaf: 8 }),
  ),
  lines(['watermark-misplaced', 'CLY_RECONCILE_PLACE', 'A watermark stands at a cut only.'], (all) =>
    all.splice(LINE.outcome, 0, all.splice(LINE.watermark, 1)[0]),
  ),
  totals('totals-low', (of) => (of.unattributed = 0), 'A manifest that hides a finding.'),
  totals('horizon-high', (of) => (of.horizon += 1), 'A manifest that claims to have seen further.'),
  makeCase(
    [
      'provisional',
      [4, 'reconciliation', 'CLY_RECONCILE_PROVISIONAL'],
      'A bundle sealed before its source caught up is honest, and not final.',
      'What came later.',
    ],
    {
      bundle: edited({
        observation: at(LINE.watermark, (one) =>
          Object.assign(one, { covers_until: 5, observation_id: hexOf(`sys\n1\n${one.lsn}\n5`).slice(0, 32) }),
        ),
      }),
    },
  ),
  makeCase(
    [
      'coverage-gap',
      [4, 'coverage', 'CLY_COVERAGE_GAP'],
      'What a source lost was not seen: the bundle is honest, the world was not watched.',
      'That nothing happened in the gap.',
    ],
    {
      bundle: edited({
        more: (builder) =>
          builder.observe('gap', { from_lsn: '0/1', to_lsn: '0/2', reason: 'slot_lost', detected_at: builder.timeMs }),
      }),
    },
  ),
  makeCase(
    [
      'gap-by-intake',
      [0],
      'What an intake could not record of routes in review mode is a gap too, and intake signs it.',
      'Which changes these were: nobody recorded them.',
    ],
    { bundle: edited({ more: (builder) => reviewGap(builder, KEYS.intake) }) },
  ),
  makeCase(['gap-by-enforcer', [1, 'authorship', 'CLY_KEY_ROLE'], 'Nobody else may sign one.', 'Who wrote it.'], {
    bundle: edited({ more: (builder) => reviewGap(builder, KEYS.enforcer) }),
  }),
  makeCase(
    [
      'coverage-blind',
      [4, 'coverage', 'CLY_COVERAGE_BLIND'],
      'A source that cannot show a guarded relation says so.',
      'What happened there.',
    ],
    {
      bundle: edited({
        observation: at(LINE.coverage, (one) => {
          one.blind_spots = [{ code: 'row_filter', relation: 'public.orders' }];
          reidentify(one);
        }),
      }),
    },
  ),
  makeCase(
    [
      'coverage-uncovered',
      [4, 'coverage', 'CLY_COVERAGE_UNCOVERED'],
      'A guarded relation that no publication lists.',
      'What happened there.',
    ],
    {
      bundle: edited({
        observation: at(LINE.coverage, (one) => {
          one.relations = ['public.other'];
          reidentify(one);
        }),
      }),
    },
  ),
];

/** Its id is the digest of the body without it. */
function reidentify(one: Loose): void {
  const { observation_id: _, ...rest } = one;
  const sorted = (value: Loose): Loose =>
    Array.isArray(value)
      ? value.map(sorted)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(
            Object.keys(value)
              .sort()
              .map((name) => [name, sorted(value[name])]),
          )
        : value;
  one.observation_id = hexOf(JSON.stringify(sorted(rest))).slice(0, 32);
}

function reviewGap(builder: LogBuilder, key: TestKey): void {
  const events = { from_lsn: '00000000-0000-7000-8000-000000010001', to_lsn: '00000000-0000-7000-8000-000000010003' };
  const said = { source_id: 'intake:i1', reason: 'review_unrecorded', detected_at: builder.timeMs, changes: 3 };
  builder.observe('gap', { ...said, ...events }, key);
}
