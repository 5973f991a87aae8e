// SPDX-License-Identifier: Apache-2.0
import type { ConfigDeclaration, Field } from './declaration.ts';

export type ConfigSection = { readonly service: string; readonly declaration: ConfigDeclaration };

const INTRODUCTION = `# Configuration

Written by \`clyra reference config\` from the declarations in each service's \`config.ts\`; a test compares them. Do not edit.

Every setting is an environment variable. A service that finds a problem names all of them at once and does not start
(\`CLY_CONFIG_INVALID\`). Times are in milliseconds, sizes in bytes. Defaults marked — do not exist: the setting is required.
`;

/** The text of docs/reference/config.md. */
export function configReference(sections: readonly ConfigSection[]): string {
  return `${[INTRODUCTION, ...sections.map(sectionText)].join('\n')}`;
}

function sectionText({ service, declaration }: ConfigSection): string {
  const rows = Object.values(declaration)
    .toSorted((a, b) => (a.env < b.env ? -1 : 1))
    .map((field) => `| \`${field.env}\` | ${typeText(field)} | ${defaultText(field)} | ${cell(field.text)} |\n`);
  return `## ${service}\n\n| variable | type | default | what it is for |\n|---|---|---|---|\n${rows.join('')}`;
}

function typeText(field: Field): string {
  if (field.type === 'choice') return field.choices.map((choice) => `\`${choice}\``).join(' or ');
  if (field.type !== 'integer') return field.type;
  const limits = [field.min === undefined ? '' : `≥ ${field.min}`, field.max === undefined ? '' : `≤ ${field.max}`];
  const text = limits.filter((limit) => limit !== '').join(', ');
  return text === '' ? 'integer' : `integer, ${text}`;
}

function defaultText(field: Field): string {
  if (field.default === undefined) return field.optional === true ? 'none' : '—';
  if (field.secret === true) return 'a secret';
  return `\`${Array.isArray(field.default) ? field.default.join(',') : String(field.default)}\``;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}
