// SPDX-License-Identifier: Apache-2.0
import type { Edits } from '@clyra/verifier/testing/log-builder';
import { canonical, hexOf, type Loose } from '@clyra/verifier/testing/primitives';
import { type BuiltBundle, wrap } from '@clyra/verifier/testing/seal';
import { buildStandard, LINE } from '@clyra/verifier/testing/standard-bundle';
import { at, BASE, BASIC, type ConformanceCase, edited, KEYS, makeCase, type Rest } from '../conformance-case.ts';

const OPEN = 'That what it counts is true.';
const member = (name: string, bend: (manifest: Loose) => void, why: string): ConformanceCase =>
  makeCase([name, [1, 'integrity', 'CLY_BUNDLE_MANIFEST_MEMBER'], why, OPEN], { bundle: edited({ manifest: bend }) });
const shape = (name: string, bend: (manifest: Loose) => void, why: string): ConformanceCase =>
  makeCase([name, [2, 'integrity', 'CLY_MANIFEST_SHAPE'], why, 'Anything: reading stops.'], {
    bundle: edited({ manifest: bend }),
  });

export const manifestCases = (): readonly ConformanceCase[] => [
  member('decisions-lie', (one) => (one.decisions.block = 0), 'A manifest that hides a refusal.'),
  member('metrics-lie', (one) => (one.governance.transparency.refused = 0), 'Figures follow from the lines.'),
  member('reasons-lie', (one) => (one.security.reasons = []), 'Reasons follow from the lines.'),
  member('cost-lie', (one) => (one.cost.rows_written += 1), 'Figures follow from the lines.'),
  member('performance-lie', (one) => (one.performance.span_ms = 0), 'Figures follow from the lines.'),
  member('coverage-lie', (one) => (one.coverage[0].blind_spots = []), 'A manifest that hides a blind spot.'),
  member('runs-lie', (one) => (one.runs.closed = []), 'A manifest that hides a run.'),
  member('cut-lie', (one) => (one.cut.offset += 1), 'The cut is that of the last line.'),
  member('profile-lie', (one) => (one.profiles = ['def/v0']), 'Profiles follow from the lines.'),
  member('documents-lie', (one) => (one.documents = { named: 1, held: 0 }), 'Documents follow from the lines.'),
  shape('manifest-extra-member', (one) => (one.note = 'x'), 'A manifest is closed: nothing rides along unseen.'),
  shape('manifest-member-missing', (one) => delete one.gaps, 'A manifest without a member.'),
  shape('artifacts-unsorted', (one) => one.artifacts.reverse(), 'Lists have one order.'),
  shape('origin-invisible', (one) => (one.origin = 'clyra\x7f.example/acme'), 'An origin is of visible characters.'),
  shape('lines-not-range', (one) => (one.journal.lines += 1), 'Lines are the length of the range.'),
  makeCase(
    [
      'format-v1',
      [3, 'integrity', 'CLY_BUNDLE_FORMAT'],
      'Another version is not judged by the rules of this one.',
      'Anything.',
    ],
    { bundle: edited({ manifest: (one) => (one.format = 'clyra/bundle/v1') }) },
  ),
  makeCase(['profile-unknown', [3, 'integrity', 'CLY_BUNDLE_FORMAT'], 'A profile of another version.', 'Anything.'], {
    bundle: edited({ manifest: (one) => (one.profiles = ['def/v0', 'xef/v0']) }),
  }),
];

export const policyCases = (): readonly ConformanceCase[] => [
  makeCase(
    ['artifact-unnamed', [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_UNNAMED'], 'A document that no line names.', OPEN],
    {
      bundle: buildStandard({
        documents: ['stray'],
        edits: { manifest: (one) => (one.documents = { named: 0, held: 0 }) },
      }),
    },
  ),
  makeCase(['document-held', [0], 'A document that a line names and the bundle holds.', 'That the document is true.'], {
    bundle: buildStandard({ documents: ['snapshot'], edits: { more: nameDocument } }),
  }),
  makeCase(
    [
      'separation-lie',
      [1, 'authorship', 'CLY_SEPARATION_KEYS'],
      'One key in two parts that are said to be apart.',
      'That the parts are apart otherwise.',
    ],
    { bundle: oneKey() },
  ),
  makeCase(
    ['policy-other', [1, 'policy', 'CLY_POLICY_OTHER'], 'A decision under a policy that was not in force.', OPEN],
    { bundle: edited({ receipt: at(LINE.blocked, (body) => (body.policy_digest = hexOf('x'))) }) },
  ),
  makeCase(
    [
      'policy-inspection',
      [1, 'policy', 'CLY_POLICY_INSPECTION'],
      'A request inspected under another policy and allowed.',
      OPEN,
    ],
    { bundle: edited(inspected()) },
  ),
  makeCase(
    [
      'policy-not-canonical',
      [1, 'policy', 'CLY_POLICY_DOCUMENT'],
      'A policy has one form, so that its digest is one.',
      OPEN,
    ],
    { bundle: loosePolicy() },
  ),
  makeCase(
    [
      'million-objects',
      [1, 'integrity', 'CLY_BUNDLE_ARTIFACT_UNNAMED'],
      'A document of eight megabytes with a million objects is read in bounded memory.',
      OPEN,
    ],
    hugePolicy(),
  ),
];

function nameDocument(builder: Loose): void {
  const document = { document: 'snapshot', sha256: hexOf('snapshot'), size: 8, media_type: 'text/plain' };
  builder.observe('document', { source_id: 'recorder:r1', ...document });
}

function oneKey(): BuiltBundle {
  const keys = {
    ...KEYS,
    enforcer: { ...KEYS.intake, record: { ...KEYS.intake.record, subject: 'both', roles: ['intake', 'enforcer'] } },
  };
  const edits: Edits = {
    manifest: (one) => (one.separation = 'processes'),
    trustRoot: (root) => (root.keys = root.keys.filter((key: Loose) => key.subject !== 'intake')),
  };
  return buildStandard({ keys, edits });
}

function inspected(): Edits {
  const under = { policy_digest: hexOf('x'), inspector: 'i-1' };
  return {
    change: at(LINE.allowed, (body) => (body.facts.inspected_under = under)),
    receipt: at(LINE.allowed, (body) => (body.inspected_under = under)),
  };
}

/** A policy artifact that is no RFC 8785 text, listed beside the one in force. */
function loosePolicy(): BuiltBundle {
  const policy = '{"note":"x","guarded":[]}';
  const bundle = edited({
    manifest: (manifest) => list(manifest, { kind: 'policy', sha256: hexOf(policy), size: policy.length }),
  });
  return { ...bundle, files: new Map([...bundle.files, [`artifacts/${hexOf(policy)}`, Buffer.from(policy)]]) };
}

function list(manifest: Loose, artifact: Loose): void {
  manifest.artifacts = [...manifest.artifacts, artifact].sort((left, right) => (left.sha256 < right.sha256 ? -1 : 1));
}

const MILLION = { head: '{"guarded":[],"list":[', unit: '{"k":1},', count: 1_000_000, tail: '0]}' };

/** Names a policy document of eight megabytes, which is made when the case is run. */
function hugePolicy(): Rest {
  const { head, unit, count, tail } = MILLION;
  const text = `${head}${unit.repeat(count)}${tail}`;
  const sha256 = hexOf(text);
  return {
    bundle: edited({ manifest: (manifest) => list(manifest, { kind: 'policy', sha256, size: text.length }) }),
    steps: [{ op: 'fill', name: `artifacts/${sha256}`, ...MILLION }],
  };
}

const SALT = '00112233445566778899aabbccddeeff';
const VALUE = 'https://shop.example';

function commitmentTo(pointer: string, value: Loose): string {
  return hexOf(
    Buffer.concat([
      Buffer.from('clyra/commit/v0\n'),
      Buffer.from(SALT, 'hex'),
      Buffer.from(`${pointer}\u0000${canonical(value)}`),
    ]),
  );
}

export function disclosures(): readonly ConformanceCase[] {
  const pointer = '/facts/origin';
  const bundle = edited({
    change: at(LINE.blocked, (body) => (body.facts.origin = { $commit: commitmentTo(pointer, VALUE) })),
  });
  const line = (bend: Loose = {}) =>
    `${canonical({ leaf: LINE.blocked, part: 'change', pointer, salt: SALT, v: 0, value: VALUE, ...bend })}\n`;
  const make = (
    [name, wanted, why]: readonly [name: string, wanted: readonly [number, string?, string?], why: string],
    text: string | undefined,
  ) =>
    makeCase([name, wanted, why, 'That the value was true when it was recorded.'], {
      bundle,
      policy: [...BASIC, 'disclosure'],
      ...(text === undefined ? {} : { disclosures: text }),
    });
  return [
    make(['disclosure-good', [0], 'A value and its salt open the commitment.'], line()),
    make(
      ['commit-flip', [1, 'disclosure', 'CLY_DISCLOSURE_VALUE'], 'Another value for the commitment.'],
      line({ value: 'https://else.example' }),
    ),
    make(
      ['salt-short', [2, 'integrity', 'CLY_DISCLOSURE_SHAPE'], 'A salt that can be guessed.'],
      line({ salt: '0011' }),
    ),
    make(
      ['disclosure-wrong-pointer', [1, 'disclosure', 'CLY_DISCLOSURE_POINTER'], 'A place that holds no commitment.'],
      line({ pointer: '/facts/method' }),
    ),
    make(
      ['disclosure-wrong-leaf', [1, 'disclosure', 'CLY_DISCLOSURE_LEAF'], 'A line that the bundle does not have.'],
      line({ leaf: 99 }),
    ),
    make(
      ['disclosure-duplicate', [2, 'integrity', 'CLY_DISCLOSURE_SHAPE'], 'One commitment, opened twice.'],
      line() + line(),
    ),
    make(
      [
        'withheld-required-field',
        [4, 'disclosure', 'CLY_DISCLOSURE_ABSENT'],
        'A policy that asks for a value which was withheld.',
      ],
      undefined,
    ),
  ];
}

/** The standard bundle with some lines replaced by their leaf hashes (bundle.md §8). */
function exportOf(
  keep: (index: number) => boolean,
  bend: { manifest?: (one: Loose) => void; scope?: Loose } = {},
): BuiltBundle {
  const lines = BASE.raw.map((line, index) =>
    keep(index) ? line : canonical({ $leaf: hexOf(Buffer.concat([Buffer.of(0), Buffer.from(line)])) }),
  );
  const journal = Buffer.from(lines.map((line) => `${line}\n`).join(''));
  const { tenant, stream_id, origin, range, root, frontier, cut, trust_root, separation, producer } = BASE.manifest;
  const scope = bend.scope ?? { kind: 'run', run_id: 'run-1', next_seq: 0, head: hexOf('clyra/run/v0\nacme\nrun-1') };
  const manifest: Loose = {
    format: 'clyra/export/v0',
    ...{ tenant, stream_id, origin, range, root, frontier, cut, trust_root, separation, producer },
    journal: { ...BASE.manifest.journal, sha256: hexOf(journal), size: journal.length },
    artifacts: BASE.manifest.artifacts.filter((one: Loose) => one.kind === 'policy'),
    export: { of: hexOf(BASE.files.get('manifest.json') as Buffer), scope },
  };
  bend.manifest?.(manifest);
  const bytes = Buffer.from(canonical(manifest));
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    predicate: { of: manifest.export.of, origin, range, root },
    predicateType: 'https://clyra.dev/export/v0',
    subject: [{ digest: { sha256: hexOf(bytes) }, name: 'manifest.json' }],
  };
  const files = new Map(
    [...BASE.files].filter(([name]) => name === 'checkpoint' || name === `artifacts/${BASE.builder.policyDigest}`),
  );
  files.set('manifest.json', bytes);
  files.set('manifest.dsse.json', Buffer.from(canonical(wrap(KEYS.bundler, statement))));
  files.set('journal.jsonl', journal);
  return { ...BASE, files, manifest };
}

/** A note whose log line stands twice. */
function signedTwice(note: Buffer): Buffer {
  return Buffer.from(`${String(note)}${String(note).split('\n')[4]}\n`);
}

const OF_RUN: readonly number[] = [LINE.runOpened, LINE.allowed, LINE.runClosed];
const inRun = (index: number): boolean => OF_RUN.includes(index);

export function exportCases(): readonly ConformanceCase[] {
  const policy = ['integrity', 'authorship'];
  const make = (
    [name, wanted, why]: readonly [name: string, wanted: readonly [number, string?, string?], why: string],
    bundle: BuiltBundle,
  ) => makeCase([name, wanted, why, 'Anything about the lines that are left out.'], { bundle, policy });
  return [
    make(['export-run', [0], 'A run without the lines of others: the root still verifies.'], exportOf(inRun)),
    makeCase(
      [
        'export-is-partial',
        [4, 'completeness', 'CLY_EXPORT_PARTIAL'],
        'An export is never complete.',
        'Anything about the lines that are left out.',
      ],
      { bundle: exportOf(inRun), policy: BASIC },
    ),
    make(
      ['export-selection', [0], 'Some lines, and the cut.'],
      exportOf((index) => index >= LINE.bypass, { scope: { kind: 'selection' } }),
    ),
    make(
      ['export-run-line-missing', [1, 'completeness', 'CLY_RUN_GAP'], 'A line of the run was replaced.'],
      exportOf((index) => inRun(index) && index !== LINE.allowed),
    ),
    make(
      ['export-run-empty', [1, 'completeness', 'CLY_EXPORT_RUN'], 'An export of a run without a line of it.'],
      exportOf(inRun, { scope: { kind: 'run', run_id: 'run-9', next_seq: 0, head: hexOf('x') } }),
    ),
    makeCase(
      [
        'export-previous-two-log-lines',
        [1, 'authorship', 'CLY_CHECKPOINT_SIGNATURE'],
        'The checkpoint before is judged beside an export too.',
        'Which of two checkpoints its reader kept.',
      ],
      { bundle: exportOf(inRun), policy, previous: signedTwice(BASE.files.get('checkpoint') as Buffer) },
    ),
    make(
      ['export-cut-replaced', [1, 'completeness', 'CLY_EXPORT_RUN'], 'The cut is never replaced.'],
      exportOf((index) => index === LINE.allowed || index === LINE.runOpened),
    ),
    make(
      ['export-leaf-flip', [1, 'integrity', 'CLY_BUNDLE_SEGMENT'], 'Another hash in the place of a line.'],
      flippedLeaf(),
    ),
    makeCase(
      [
        'leaf-in-bundle',
        [1, 'integrity', 'CLY_LINE_SHAPE'],
        'Only an export may leave lines out.',
        'What the line said.',
      ],
      {
        bundle: edited({ rawLines: (lines) => (lines[LINE.blocked] = canonical({ $leaf: hexOf('x') })) }),
      },
    ),
  ];
}

function flippedLeaf(): BuiltBundle {
  const bundle = exportOf(inRun);
  const lines = String(bundle.files.get('journal.jsonl')).split('\n');
  lines[LINE.blocked] = canonical({ $leaf: hexOf('x') });
  const journal = Buffer.from(lines.join('\n'));
  const manifest = {
    ...bundle.manifest,
    journal: { ...bundle.manifest.journal, sha256: hexOf(journal), size: journal.length },
  };
  const files = new Map(bundle.files);
  files.set('journal.jsonl', journal);
  files.set('manifest.json', Buffer.from(canonical(manifest)));
  return { ...bundle, files };
}
