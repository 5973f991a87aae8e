// SPDX-License-Identifier: Apache-2.0
import { rmSync, symlinkSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { listBundle } from './files/list-bundle.ts';
import { Failures } from './report/failures.ts';
import { artifactOf, at, type Case, inFile, OTHER, runCase } from './testing/case.ts';
import type { Edits } from './testing/log-builder.ts';
import { runVerifier } from './testing/run-verifier.ts';
import { buildStandard, LINE } from './testing/standard-bundle.ts';

const FILES: readonly Case[] = [
  {
    code: 'CLY_BUNDLE_FILE_UNKNOWN',
    claim: 'integrity',
    exit: 2,
    run: inFile('notes.txt', 'x'),
    at: { file: 'notes.txt' },
  },
  { code: 'CLY_BUNDLE_FILE_UNKNOWN', claim: 'integrity', exit: 2, run: inFile(`artifacts/${OTHER}`, 'x') },
  { code: 'CLY_BUNDLE_FILE_UNKNOWN', claim: 'integrity', exit: 2, run: inFile('artifacts/readme', 'x') },
  {
    code: 'CLY_BUNDLE_FILE_MISSING',
    claim: 'integrity',
    exit: 2,
    run: { bend: (folder) => rmSync(join(folder, 'journal.jsonl')) },
    at: { file: 'journal.jsonl' },
  },
  {
    code: 'CLY_BUNDLE_FILE_KIND',
    claim: 'integrity',
    exit: 2,
    run: {
      bend: (folder) => {
        rmSync(join(folder, 'checkpoint'));
        symlinkSync(join(folder, 'VERIFY.md'), join(folder, 'checkpoint'));
      },
    },
    at: { file: 'checkpoint' },
  },
  { code: 'CLY_BUNDLE_FILE_SIZE', claim: 'integrity', exit: 2, run: inFile('checkpoint', 'x'.repeat(16_385)) },
  {
    code: 'CLY_BUNDLE_FILE_SIZE',
    claim: 'integrity',
    exit: 2,
    run: { bend: (folder) => truncateSync(join(folder, 'manifest.json'), 1_048_577) },
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_MISSING',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => ({ bend: (folder) => rmSync(join(folder, artifactOf(pair, 'state'))) }),
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_SIZE',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => inFile(artifactOf(pair, 'policy'), '{}'),
  },
  {
    code: 'CLY_BUNDLE_ARTIFACT_DIGEST',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => {
      const name = artifactOf(pair, 'ledger');
      return inFile(name, (pair.second.files.get(name) as Buffer).toString('latin1').replace('0', '1'));
    },
  },
];

const DOCUMENTS: readonly Case[] = [
  {
    code: 'CLY_MANIFEST_SHAPE',
    claim: 'integrity',
    exit: 2,
    edits: { manifest: (manifest) => delete manifest.cut.kind },
    at: { file: 'manifest.json', member: 'cut.kind' },
  },
  { code: 'CLY_MANIFEST_SHAPE', claim: 'integrity', exit: 2, edits: { manifest: (m) => m.frontier.push(OTHER) } },
  {
    code: 'CLY_MANIFEST_SHAPE',
    claim: 'integrity',
    exit: 2,
    edits: { manifest: (m) => m.journal.segments.push(OTHER) },
  },
  { code: 'CLY_BUNDLE_MANIFEST_DIGEST', claim: 'integrity', exit: 2, run: inFile('manifest.json', '{}') },
  { code: 'CLY_CHECKPOINT_SHAPE', claim: 'integrity', exit: 2, run: inFile('checkpoint', 'origin\n01\n') },
  { code: 'CLY_DSSE_SHAPE', claim: 'integrity', exit: 2, run: inFile('manifest.dsse.json', '{"payload":""}') },
  { code: 'CLY_JSON_DUPLICATE', claim: 'integrity', exit: 2, run: inFile('manifest.json', '{"a":1,"a":1}') },
  {
    code: 'CLY_BUNDLE_MANIFEST_MEMBER',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.decisions.block = 0) },
    at: { file: 'manifest.json', member: 'decisions' },
  },
  {
    code: 'CLY_BUNDLE_MANIFEST_MEMBER',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.segments = [OTHER]) },
    at: { file: 'manifest.json', member: 'journal.segments' },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_DIGEST',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.sha256 = OTHER) },
    at: { file: 'manifest.json', member: 'journal.sha256' },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_SIZE',
    claim: 'integrity',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.journal.size += 1) },
  },
  {
    code: 'CLY_BUNDLE_JOURNAL_LINES',
    claim: 'integrity',
    exit: 1,
    edits: {
      manifest: (manifest) => {
        manifest.range.end += 1;
        manifest.journal.lines += 1;
      },
    },
  },
  {
    code: 'CLY_BUNDLE_ROOT',
    claim: 'completeness',
    exit: 1,
    edits: { manifest: (manifest) => (manifest.root = OTHER) },
    at: { file: 'manifest.json', member: 'root' },
  },
  {
    code: 'CLY_CHECKPOINT_AGREEMENT',
    claim: 'integrity',
    exit: 1,
    second: true,
    run: (pair) => inFile('checkpoint', (pair.first.files.get('checkpoint') as Buffer).toString('utf8')),
    at: { file: 'checkpoint', member: 'root' },
  },
  {
    code: 'CLY_DSSE_AGREEMENT',
    claim: 'integrity',
    exit: 1,
    edits: { statement: (statement) => (statement.predicate = { ...statement.predicate, root: OTHER }) },
  },
];

describe('the files of a bundle', () => {
  it.each(FILES.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('manifest, checkpoint and envelope', () => {
  it.each(DOCUMENTS.map((one) => [one.code, one.claim, one] as const))('%s fails %s', async (code, claim, one) => {
    const { failures, exit } = await runCase(one);
    const place = one.at === undefined ? {} : { location: expect.objectContaining(one.at) };
    expect(failures).toContainEqual(expect.objectContaining({ claim, code, ...place }));
    expect(exit).toBe(one.exit);
  });
});

describe('what is neither', () => {
  it('a bundle of another version is unsupported, and nothing of it is judged', async () => {
    const report = await runVerifier(
      buildStandard({ edits: { manifest: (manifest) => (manifest.format = 'clyra/bundle/v1') } }),
    );
    expect(report.exitCode).toBe(3);
    expect(new Set(report.claims.map((claim) => `${claim.status} ${claim.code}`))).toEqual(
      new Set(['UNSUPPORTED CLY_BUNDLE_FORMAT']),
    );
  });

  it('a provisional bundle is partial', async () => {
    const edits: Edits = {
      observation: at(LINE.watermark, (body) => (body.covers_until = 5)),
      ledger: (ledger) => (ledger.watermarks[0].covers_until = 5),
      manifest: (manifest) => {
        manifest.reconciliation.state = 'provisional';
        manifest.reconciliation.sources[0].covers_until = 5;
      },
    };
    const report = await runVerifier(buildStandard({ edits }));
    expect(report.failures).toEqual([]);
    const claim = report.claims.find((one) => one.id === 'reconciliation');
    expect(claim).toMatchObject({ status: 'PARTIAL', code: 'CLY_RECONCILE_PROVISIONAL' });
  });

  it('a folder with more entries than a bundle can have is not read to its end', async () => {
    const failures = new Failures();
    await runVerifier(buildStandard(), { look: (folder) => listBundle(folder, failures, 3) });
    expect(failures.malformed?.code).toBe('CLY_BUNDLE_FILE_COUNT');
  });

  it('what was not reached is absent', async () => {
    const report = await runVerifier(buildStandard(), inFile('manifest.json', '{}'));
    const order = report.claims.find((claim) => claim.id === 'order');
    expect(order).toMatchObject({ status: 'ABSENT', code: 'CLY_CLAIM_NOT_REACHED' });
  });

  it('a folder that is not there is an I/O error', async () => {
    const report = await runVerifier(buildStandard(), { bend: (folder) => rmSync(folder, { recursive: true }) });
    expect(report).toMatchObject({ exitCode: 5, verdict: 'io_error' });
  });

  it('a cosignature is not judged, and only asked for by policy', async () => {
    const bundle = buildStandard();
    const note = (bundle.files.get('checkpoint') as Buffer).toString('utf8');
    bundle.files.set('checkpoint', Buffer.from(`${note}— witness.example ${Buffer.alloc(76, 4).toString('base64')}\n`));
    const report = await runVerifier(bundle);
    expect(report.claims.at(-1)).toMatchObject({ status: 'UNSUPPORTED', code: 'CLY_WITNESS_UNSUPPORTED' });
    expect(report.exitCode).toBe(3);
  });
});
