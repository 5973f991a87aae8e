// SPDX-License-Identifier: Apache-2.0
import { type Finding, lineOf, type SourceText } from './finding.ts';

const LICENCE_LINE = '// SPDX-License-Identifier: Apache-2.0';
const LICENSED = /\.(ts|mjs|cjs)$/;

export function licenceLine(source: SourceText): readonly Finding[] {
  if (!LICENSED.test(source.path)) return [];
  const lines = source.text.split('\n');
  const first = lines[0]?.startsWith('#!') === true ? lines[1] : lines[0];
  if (first === LICENCE_LINE) return [];
  const message = `begin the file with the line: ${LICENCE_LINE}`;
  return [{ rule: 'licence-line', path: source.path, line: 1, measured: 1, message }];
}

const VAGUE_FOLDER = /(^|\/)(utils?|common|helpers?|misc|shared)(\/|\.ts$)/;
const FILE_NAME = /^\.?[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;

export function pathName(source: SourceText): readonly Finding[] {
  if (!LICENSED.test(source.path)) return [];
  const say = (message: string): Finding => ({ rule: 'path-name', path: source.path, line: 1, measured: 1, message });
  if (VAGUE_FOLDER.test(source.path))
    return [say('name the folder after the concept it holds, not after being shared')];
  const name = source.path.slice(source.path.lastIndexOf('/') + 1);
  return FILE_NAME.test(name) ? [] : [say('name the file in kebab-case after its one concept')];
}

/** Joined, so that this file does not hold what it forbids. */
const join = (...parts: readonly string[]): string => parts.join('');

const REGISTRY_HOSTS = [
  join('registry.', 'npmjs.org'),
  join('registry.', 'yarnpkg.com'),
  join('files.', 'pythonhosted.org'),
  join('pypi', '.org/simple'),
  join('repo.', 'maven.apache.org'),
  join('repo1.', 'maven.org'),
  join('proxy.', 'golang.org'),
  join('sum.', 'golang.org'),
];

const escaped = (text: string): string => text.replaceAll('.', String.raw`\.`);

const FORBIDDEN: readonly { readonly pattern: RegExp; readonly message: string }[] = [
  {
    pattern: new RegExp(REGISTRY_HOSTS.map(escaped).join('|')),
    message: 'leave out the host: which registry is used is a setting of the machine (npm, pip, Maven, Go)',
  },
  {
    pattern: new RegExp(join(String.raw`(?<![\w.~$})-])/(work|`, 'root)/')),
    message: 'use a path relative to the repository or to the file, never one of a single machine',
  },
  { pattern: new RegExp(join(String.raw`\.\./`, 'shared')), message: 'write down here what the reader needs to know' },
];

/** Looks at every text file, whatever its kind. */
export function forbiddenContent(source: SourceText): readonly Finding[] {
  return FORBIDDEN.flatMap(({ pattern, message }) => {
    const match = pattern.exec(source.text);
    if (match === null) return [];
    const line = lineOf(source, match.index);
    return [{ rule: 'forbidden-content', path: source.path, name: match[0], line, measured: 1, message }];
  });
}
