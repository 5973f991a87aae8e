// SPDX-License-Identifier: Apache-2.0
import { InvalidArgumentError, Option } from 'commander';

export type KeyOptions = { readonly key?: readonly string[] };

/** `--key FILE`, repeatable; without it the keys of the local installation sign. */
export function keyOption(whose: string): Option {
  return new Option(
    '--key <file>',
    `PEM key of ${whose}; repeat for a second person (default: the local keys)`,
  ).argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
}

export function integerArgument(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('it is not a whole number');
  return Number(value);
}

export function scopeArgument(value: string): string {
  if (value === 'tenant' || /^(?:route|actor):[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/.test(value)) return value;
  throw new InvalidArgumentError('a scope is `tenant`, `route:<id>` or `actor:<id>`');
}

/** For an option that may be given more than once. */
export function collect(value: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), value];
}
