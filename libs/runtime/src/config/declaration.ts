// SPDX-License-Identifier: Apache-2.0
/**
 * One setting of a service, declared in its config.ts: its name in the environment, its type, its default and what
 * it is for stand in one place, so that the reference page and the errors can never differ from the code.
 */
type FieldOf<Type extends string, Value> = {
  /** `CLYRA_…`: the same name means the same thing in every service. */
  readonly env: string;
  readonly type: Type;
  /** What a person needs to know to set it, one or two sentences, with the unit. */
  readonly text: string;
  readonly default?: Value;
  /** Without a default: the value may be absent and is then undefined. */
  readonly optional?: true;
  /** The value is never printed, in no error and no reference page. */
  readonly secret?: true;
};

/** Method syntax on purpose: a check for a narrower value still is a field. Returns what is wrong, or undefined. */
type Checked<Value> = { check?(value: Value): string | undefined };

export type TextField = FieldOf<'text', string> & Checked<string>;
/** Integers only; times in milliseconds, sizes in bytes. Both limits are inclusive. */
export type IntegerField = FieldOf<'integer', number> &
  Checked<number> & { readonly min?: number; readonly max?: number };
/** `true` or `false`. */
export type BooleanField = FieldOf<'boolean', boolean>;
/** Comma-separated in the environment, a list in a file; never empty. */
export type ListField = FieldOf<'list', readonly string[]> & Checked<readonly string[]>;
export type ChoiceField = FieldOf<'choice', string> & { readonly choices: readonly string[] };

export type Field = TextField | IntegerField | BooleanField | ListField | ChoiceField;

export type ConfigDeclaration = Readonly<Record<string, Field>>;

type RawValue<F extends Field> = F extends { readonly type: 'integer' }
  ? number
  : F extends { readonly type: 'boolean' }
    ? boolean
    : F extends { readonly type: 'list' }
      ? readonly string[]
      : F extends { readonly type: 'choice'; readonly choices: readonly (infer Choice)[] }
        ? Choice
        : string;

type ValueOf<F extends Field> = F extends { readonly optional: true } ? RawValue<F> | undefined : RawValue<F>;

/** What `loadConfig` returns for a declaration: every member present and of its type. */
export type ConfigOf<D extends ConfigDeclaration> = { readonly [Name in keyof D]: ValueOf<D[Name]> };

/** Keeps the literal types of a declaration, so that `ConfigOf` can be exact. */
export function declareConfig<const D extends ConfigDeclaration>(declaration: D): D {
  return declaration;
}
