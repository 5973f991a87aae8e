// SPDX-License-Identifier: Apache-2.0
import { markdownTable } from './markdown-table.ts';
import { POLICY_EXAMPLES } from './policy-examples.ts';
import { WRITTEN_BY } from './written-by.ts';

/** The keywords of schemas/json/policy.schema.json that the page tells. */
export type PolicySchema = {
  readonly $ref?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly PolicySchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, PolicySchema>>;
  readonly items?: PolicySchema;
  readonly $defs?: Readonly<Record<string, PolicySchema>>;
};

const INTRODUCTION = `# policy.yaml

${WRITTEN_BY}

The form is \`schemas/json/policy.schema.json\`, for editors; \`clyra policy check FILE\` decides, and names every problem
at once with its line.

A policy says what is allowed; what it does not list is blocked. It is compiled to canonical JSON in which every
default is explicit, and the digest of that stands in each receipt. A member or section that this version does not
know is an error. \`clyra policy apply FILE --tenant TENANT\` puts it in force: its author and another person sign, and
it names the policy it replaces. A whole one: \`packs/scenarios/activation/policy.yaml\`; how one is written, tried and
put in force: [policies.md](../guides/policies.md).

`;

export function policyPage(schema: PolicySchema): string {
  const sections = Object.entries(schema.properties ?? {});
  const scalars = sections.filter(([, section]) => membersOf(schema, section) === undefined);
  const others = sections.filter(([, section]) => membersOf(schema, section) !== undefined);
  const top: PolicySchema = { required: schema.required ?? [], properties: Object.fromEntries(scalars) };
  return [
    INTRODUCTION,
    memberTable(schema, top),
    example('mode'),
    ...others.map(([name, section]) => sectionText(schema, name, section)),
  ].join('');
}

function sectionText(schema: PolicySchema, name: string, section: PolicySchema): string {
  const members = membersOf(schema, section);
  const table = members === undefined ? '' : memberTable(schema, members);
  const nested = Object.entries(members?.properties ?? {}).flatMap(([member, inner]) => {
    const { properties } = resolved(schema, inner);
    return properties === undefined
      ? []
      : [`\n### ${name}: ${member}\n\n`, memberTable(schema, resolved(schema, inner))];
  });
  return [
    `\n## ${name}\n\n${section.description ?? ''}\n`,
    table === '' ? '' : '\n',
    table,
    ...nested,
    example(name),
  ].join('');
}

/** The object that a section consists of, or is a list of; undefined for a plain value. */
function membersOf(schema: PolicySchema, section: PolicySchema): PolicySchema | undefined {
  const target = resolved(schema, section.items ?? section);
  return target.properties !== undefined || section.type === 'object' ? target : undefined;
}

function memberTable(schema: PolicySchema, object: PolicySchema): string {
  const entries = Object.entries(object.properties ?? {});
  if (entries.length === 0) return '';
  const rows = entries.map(([name, member]) => [
    `\`${name}\``,
    typeText(schema, member),
    defaultText(member, object.required?.includes(name) === true),
    member.description ?? '',
  ]);
  return markdownTable(['member', 'form', 'default', 'meaning'], rows);
}

function defaultText(member: PolicySchema, isRequired: boolean): string {
  if (isRequired) return 'required';
  return 'default' in member ? `\`${JSON.stringify(member.default)}\`` : '–';
}

const NAMED: Readonly<Record<string, string>> = {
  '#/$defs/id': 'id',
  '#/$defs/pointer': 'JSON pointer',
  '#/$defs/route_ids': 'list of route ids, or `*`',
  '#/$defs/relations': 'list of relations',
  '#/$defs/route_pattern': 'route id or path pattern',
  '#/$defs/decimal': 'decimal',
  '#/$defs/limits': 'decimal, or decimals by currency',
  '#/$defs/amount': 'JSON pointer, or `{ value, currency }`',
};

function typeText(schema: PolicySchema, member: PolicySchema): string {
  const target = resolved(schema, member);
  const named = NAMED[member.$ref ?? ''];
  if (named !== undefined) return named;
  if (target.const !== undefined) return `\`${String(target.const)}\``;
  if (target.enum !== undefined) return target.enum.map((value) => `\`${String(value)}\``).join(' or ');
  if (target.oneOf !== undefined) return target.oneOf.map((one) => typeText(schema, one)).join(' or ');
  const { type, items, minimum, maximum } = target;
  if (items !== undefined) return `list of ${typeText(schema, items)}`;
  const name = Array.isArray(type) ? type.join(' or ') : String(type);
  return minimum === undefined ? name : `${name}, ${minimum} to ${maximum ?? '…'}`;
}

function resolved(schema: PolicySchema, member: PolicySchema): PolicySchema {
  const name = member.$ref?.replace('#/$defs/', '');
  return name === undefined ? member : (schema.$defs?.[name] ?? member);
}

function example(section: string): string {
  const text = POLICY_EXAMPLES[section];
  return text === undefined ? '' : `\n\`\`\`yaml\n${text}\`\`\`\n`;
}
