// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { ClyraError } from '@clyra/core/kernel/error';
import { secretOfEnvironment } from './secret-config.ts';

export type Json = Readonly<Record<string, unknown>>;
/** Where in which file something stands: for messages. */
export type At = { readonly path: string; readonly place: string };

export function objectOf(value: unknown, at: At, members: readonly string[]): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw wrong(at.path, `${at.place} is not an object with ${members.join(', ')}`);
  }
  const unknown = Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) throw wrong(at.path, `${at.place}.${unknown} is unknown; known are ${members.join(', ')}`);
  return value as Json;
}

export function textOf(entry: Json, name: string, at: At & { readonly pattern: RegExp }): string {
  const value = entry[name];
  if (typeof value === 'string' && at.pattern.test(value)) return value;
  throw wrong(at.path, `${at.place}.${name} is not a text of the right form`);
}

export function textsOf(entry: Json, name: string, at: At): readonly string[] {
  const value = entry[name];
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value as readonly string[];
  throw wrong(at.path, `${at.place}.${name} is not a list of texts`);
}

export function flagOf(entry: Json, name: string, at: At): boolean | undefined {
  const value = entry[name];
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrong(at.path, `${at.place}.${name} is not true or false`);
}

export function integerOf(
  entry: Json,
  name: string,
  at: At & { readonly max: number; readonly standard: number },
): number {
  const value = entry[name] ?? at.standard;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= at.max) return value;
  throw wrong(at.path, `${at.place}.${name} is not a whole number from 1 to ${at.max}`);
}

/**
 * The secret that an entry gives in `<name>`, or in the file of `<name>File`, or in the environment under the name in
 * `<name>Env`; undefined where it gives none. Files and environment are read at each use.
 */
export function secretOf(entry: Json, name: string, at: At): (() => Promise<string>) | undefined {
  const [text, file, variable] = [entry[name], entry[`${name}File`], entry[`${name}Env`]];
  if (typeof text === 'string') return async () => text;
  if (typeof file === 'string') return () => readSecret(beside(file, at));
  if (typeof variable !== 'string') return undefined;
  return async () => {
    const secret = secretOfEnvironment(variable);
    if (secret !== undefined) return secret;
    throw wrong(at.path, `${at.place}.${name}Env names ${variable}, which is not in the environment`);
  };
}

/** Relative files are beside the sources file. */
export function beside(file: string, at: At): string {
  return resolve(dirname(at.path), file);
}

async function readSecret(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}

export function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw wrong(path, 'the certificate authority cannot be read', cause);
  }
}

export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as unknown;
  } catch (cause) {
    const what = cause instanceof SyntaxError ? 'is not JSON' : `cannot be read (${(cause as { code?: string }).code})`;
    throw wrong(path, what, cause);
  }
}

export function wrong(path: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_RECORDER_SOURCES', `sources file ${path}: ${what}; correct it or CLYRA_SOURCES_FILE`, {
    retry: 'never',
    context: { path },
    ...(cause === undefined ? {} : { cause }),
  });
}
