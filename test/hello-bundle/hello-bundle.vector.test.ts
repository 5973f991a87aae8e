// SPDX-License-Identifier: Apache-2.0
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { helloFiles, TEMPLATE } from './hello-bundle.ts';
import { runAction } from './run-action.ts';

let copy: string;

beforeAll(async () => {
  copy = await mkdtemp(join(tmpdir(), 'clyra-hello-copy-'));
  await cp(TEMPLATE, copy, { recursive: true });
});

afterAll(() => rm(copy, { recursive: true }));

const badge = (): Promise<string> => readFile(join(copy, 'evidence.svg'), 'utf8');

describe('packs/hello-bundle', () => {
  it('is what the format makes of it today: write it with `make docs`', async () => {
    const files = await helloFiles();
    for (const [name, bytes] of files) {
      expect({ name, same: (await readFile(join(TEMPLATE, name))).equals(bytes) }).toEqual({ name, same: true });
    }
    const there = await readdir(join(TEMPLATE, 'bundles'), { recursive: true, withFileTypes: true });
    const held = there.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    expect(held.sort()).toEqual(
      [...files.keys()]
        .filter((name) => name.startsWith('bundles/'))
        .map((name) => join(TEMPLATE, name))
        .sort(),
    );
  });

  it('holds no private key', async () => {
    for (const entry of await readdir(TEMPLATE, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue;
      expect(await readFile(join(entry.parentPath, entry.name), 'utf8')).not.toMatch(/PRIVATE KEY/);
    }
  });
});

describe('integrations/github-action', () => {
  it('says verified of a good bundle: badge, outputs, page of the job', async () => {
    const { code, outputs, summary } = await runAction(copy);
    expect([code, outputs]).toEqual([
      0,
      { verified: 'true', verdict: 'verified', bundles: '1', badge: 'evidence.svg' },
    ]);
    expect(summary).toContain('## Evidence verified');
    expect(summary).toMatch(/\| reperformance \| PASS \|/);
    expect(summary).toMatch(/\| time \| ABSENT \|/);
    const svg = await badge();
    expect(svg).toContain('aria-label="Evidence: Verified"');
    expect(svg).toMatch(
      /<title>One bundle: verified; policy hello: no outside time, no witness; trust root [0-9a-f]{16}; holds: .*ABSENT: .*time/,
    );
  });

  it('says that the policy is not met where nothing else was said', async () => {
    const { code, outputs } = await runAction(copy, { policy: '' });
    expect([code, outputs['verified'], outputs['verdict']]).toEqual([1, 'false', 'policy_not_met']);
    expect(await badge()).toContain('Evidence: not verified: policy not met');
  });

  it('says nothing of no bundle', async () => {
    const { code, said, outputs } = await runAction(copy, { bundles: 'elsewhere/*' });
    expect([code, outputs['verdict']]).toEqual([1, 'no_bundle']);
    expect(said).toContain('::error::no bundle was found');
    expect(await badge()).not.toContain('Evidence: Verified');
  });

  it('believes no verifier alone that another one contradicts', async () => {
    const liar = join(copy, 'liar.sh');
    await writeFile(liar, '#!/bin/sh\necho \'{"verdict":"valid","exit_code":0,"claims":[]}\'\n');
    await chmod(liar, 0o755);
    const { code, outputs, said } = await runAction(copy, { verifier: liar });
    expect([code, outputs['verdict']]).toEqual([1, 'disagreement']);
    expect(said).toContain('::error::bundles/hello: ');
  });

  it('fails over one changed byte, and lets no markup of a bundle out', async () => {
    const journal = join(copy, 'bundles/hello/journal.jsonl');
    const text = await readFile(journal, 'utf8');
    await writeFile(journal, text.replace('"allow"', '"block"'));
    const { code, outputs, said } = await runAction(copy);
    expect([code, outputs['verdict']]).toEqual([1, 'invalid']);
    expect(said).toMatch(/::error::bundles\/hello: invalid/);
    expect(await badge()).toContain('Evidence: not verified: invalid');
    await writeFile(join(copy, 'bundles/hello/manifest.json'), '{"origin":"</title><script>"}');
    const broken = await runAction(copy);
    expect(broken.outputs['verdict']).toBe('malformed');
    expect(`${broken.summary}${await badge()}`).not.toContain('<script>');
  });
});
