// SPDX-License-Identifier: Apache-2.0
import { ClyraError } from '@clyra/core/kernel/error';
import type { ConfigDeclaration, ConfigOf, Field } from './declaration.ts';
import { readField } from './read-field.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A settings file: one JSON object, members named like the declaration's. The environment wins over it. */
export type ConfigFile = { readonly name: string; readonly content: string };

/**
 * Reads and checks every declared setting. Throws CLY_CONFIG_INVALID that lists all problems at once, each with the
 * variable to set; a service never starts on a guessed value.
 */
export function loadConfig<D extends ConfigDeclaration>(
  declaration: D,
  env: Environment,
  file?: ConfigFile,
): ConfigOf<D> {
  const problems: string[] = [];
  const fromFile = file === undefined ? {} : readFile(declaration, file, problems);
  const config: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(declaration)) {
    const result = readSetting(field, env[field.env], fromFile[name]);
    if ('problem' in result) problems.push(`${field.env}: ${result.problem}`);
    else config[name] = result.value;
  }
  if (problems.length > 0) throw configError(problems);
  return Object.freeze(config) as ConfigOf<D>;
}

type Result = { readonly value: unknown } | { readonly problem: string };

function readSetting(field: Field, fromEnv: string | undefined, fromFile: unknown): Result {
  if (fromEnv === '') return { problem: `is empty; unset it or give it a value. ${field.text}` };
  const raw = fromEnv ?? fromFile;
  if (raw !== undefined) return readField(field, raw);
  if (field.default !== undefined) {
    return { value: Array.isArray(field.default) ? Object.freeze([...field.default]) : field.default };
  }
  if (field.optional === true) return { value: undefined };
  return { problem: `is not set; set it. ${field.text}` };
}

function readFile(declaration: ConfigDeclaration, file: ConfigFile, problems: string[]): Record<string, unknown> {
  let document: unknown;
  try {
    document = JSON.parse(file.content);
  } catch (cause) {
    problems.push(`${file.name}: is not JSON (${(cause as Error).message}); correct it or leave the file out`);
    return {};
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    problems.push(`${file.name}: is not a JSON object; write {"name": value, …}`);
    return {};
  }
  for (const name of Object.keys(document)) {
    if (Object.hasOwn(declaration, name)) continue;
    const known = Object.keys(declaration).join(', ');
    problems.push(`${file.name}: ${JSON.stringify(name)} is not a setting of this service; known are ${known}`);
  }
  return document as Record<string, unknown>;
}

function configError(problems: readonly string[]): ClyraError {
  const count = problems.length === 1 ? 'one setting is wrong' : `${problems.length} settings are wrong`;
  const list = problems.map((problem) => `\n  - ${problem}`).join('');
  return new ClyraError('CLY_CONFIG_INVALID', `${count}; correct and start again:${list}`, {
    retry: 'never',
    context: { problemCount: problems.length },
  });
}
