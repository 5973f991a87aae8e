// SPDX-License-Identifier: Apache-2.0
// Each rule is shown something it must refuse, since a checker that cannot fail checks nothing.
import { describe, expect, it } from '@jest/globals';
import { judge } from './judge.ts';
import { parseSource } from './read-sources.ts';

const LICENCE = '// SPDX-License-Identifier: Apache-2.0\n';

/** The rules broken by one file with this content, its licence line added. */
function broken(path: string, text: string): readonly string[] {
  return judge([parseSource(path, LICENCE + text)]).map((finding) => finding.rule);
}

const lines = (count: number, line: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => line(index)).join('\n');

describe('what is refused', () => {
  it.each([
    ['path-name', 'libs/core/src/utils/text.ts', 'export const a = 1;'],
    ['path-name', 'libs/core/src/kernel/helpers.ts', 'export const a = 1;'],
    ['path-name', 'libs/core/src/kernel/recordLog.ts', 'export const a = 1;'],
    ['function-length', 'cli/src/a.ts', `export function a(): void {\n${lines(60, () => '  a();')}\n}`],
    ['function-length', 'cli/src/a.ts', `export const a = (): void => {\n${lines(60, () => '  a();')}\n};`],
    [
      'parameter-count',
      'cli/src/a.ts',
      'export const add = (a: number, b: number, c: number, d: number) => a + b + c + d;',
    ],
    [
      'parameter-count',
      'cli/src/a.ts',
      'export class A { constructor(a: 1, b: 1, c: 1, d: 1) { void [a, b, c, d]; } }',
    ],
    ['default-export', 'cli/src/a.ts', 'export default function a(): void {}'],
    ['default-export', 'cli/src/a.ts', 'const a = 1;\nexport default a;'],
    ['barrel', 'cli/src/a.ts', "export { b } from './b.ts';\nexport { c } from './c.ts';"],
    ['barrel', 'cli/src/a.ts', "export * from './b.ts';\nexport const c = 1;"],
    ['barrel', 'cli/src/index.ts', "export { b } from './b.ts';\nexport const c = 1;"],
    ['module-mock', 'cli/src/a.unit.test.ts', "jest.mock('./b.ts');"],
    ['console', 'libs/core/src/kernel/a.ts', "console.log('a');"],
    ['console', 'services/intake/src/a.ts', "console.error('a');"],
    ['unfinished-work', 'cli/src/a.ts', `export const a = 1; // ${'TO'}DO: more`],
    ['unfinished-work', 'cli/src/a.ts', `/** ${'FIX'}ME */\nexport const a = 1;`],
    ['forbidden-content', 'docs/guides/install.md', `npm --registry https://${'registry.'}npmjs.org install`],
    ['forbidden-content', 'cli/src/a.ts', `export const home = '${'/ro'}ot/.clyra';`],
    ['forbidden-content', 'docs/guides/a.md', `see ${'../sha'}red/notes.md`],
  ])('%s in %s', (rule, path, text) => {
    expect(broken(path, text)).toEqual([rule]);
  });

  it('licence-line in a file without one', () => {
    expect(judge([parseSource('cli/src/a.ts', 'export const a = 1;\n')])).toMatchObject([
      { rule: 'licence-line', line: 1 },
    ]);
  });

  it('file-length above the limit', () => {
    const [first] = judge([
      parseSource('cli/src/a.ts', LICENCE + lines(400, (index) => `export const a${index} = 1;`)),
    ]);
    expect(first).toMatchObject({ rule: 'file-length', measured: 401 });
  });

  it('median-file-length and p95-file-length over many middling files', () => {
    const text = LICENCE + lines(300, (index) => `export const a${index} = 1;`);
    const sources = ['a', 'b', 'c'].map((name) => parseSource(`cli/src/${name}.ts`, text));
    expect(judge(sources).map((finding) => finding.rule)).toEqual(['median-file-length', 'p95-file-length']);
  });
});

describe('a service that can start', () => {
  const main = parseSource('services/intake/src/main.ts', LICENCE);
  const readme = (text: string) => parseSource('services/intake/README.md', text);

  it('needs a README with a table of failures', () => {
    expect(judge([main])).toMatchObject([{ rule: 'service-readme', path: 'services/intake/README.md' }]);
    expect(judge([main, readme('# Intake\n\n## Failures\n\nNone.\n')])).toHaveLength(1);
  });

  it('is content with one', () => {
    const table =
      '# Intake\n\n## Failures\n\nWhat to expect.\n\n| what | then |\n| --- | --- |\n| Kafka gone | 503 |\n';
    expect(judge([main, readme(table)])).toEqual([]);
  });
});

describe('project references', () => {
  const json = (path: string, value: unknown) => parseSource(path, JSON.stringify(value));
  const core = [json('core/package.json', { name: '@clyra/core' }), json('core/tsconfig.json', { references: [] })];
  const cliManifest = json('cli/package.json', { name: '@clyra/cli', dependencies: { '@clyra/core': '0.0.0' } });
  const root = json('tsconfig.json', { references: [{ path: 'core' }, { path: 'cli' }] });

  it('are refused when a dependency is not among them', () => {
    const sources = [...core, cliManifest, root, json('cli/tsconfig.json', { references: [] })];
    expect(judge(sources)).toMatchObject([{ rule: 'project-reference', path: 'cli/tsconfig.json' }]);
  });

  it('are accepted when they follow package.json', () => {
    const sources = [...core, cliManifest, root, json('cli/tsconfig.json', { references: [{ path: '../core' }] })];
    expect(judge(sources)).toEqual([]);
  });
});

describe('what is accepted', () => {
  it.each([
    [
      'a plain file',
      'libs/core/src/kernel/record-log.ts',
      'export const a = (b: number, c: number, d: number) => b + c + d;',
    ],
    ['a callback with what it is given', 'cli/src/a.ts', 'export const a = all((b, c, d, e) => b + c + d + e);'],
    ['a long suite of tests', 'cli/src/a.unit.test.ts', `describe('a', () => {\n${lines(80, () => '  a();')}\n});`],
    ['a switch with a default', 'cli/src/a.ts', 'export const a = (b: 1) => { switch (b) { default: return b; } };'],
    ['unfinished work with a decision', 'cli/src/a.ts', `export const a = 1; // ${'TO'}DO ADR-0007: widen`],
    ['the words in a string', 'cli/src/a.ts', `export const a = '${'TO'}DO: jest.mock(b)';`],
    ['text to standard output in the cli', 'cli/src/a.ts', "console.log('a');"],
    ['a path below the repository', 'docs/guides/a.md', 'see docs/work/plan.md and ./root/a'],
  ])('%s', (_name, path, text) => {
    expect(broken(path, text)).toEqual([]);
  });
});
