// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { configReference } from '@clyra/runtime/config/config-reference';
import { describe, expect, it } from '@jest/globals';
import { configSections } from './config-sections.ts';

const root = new URL('../../../', import.meta.url);

describe('docs/reference/config.md', () => {
  it('says what the declarations say: write it with `clyra reference config > docs/reference/config.md`', () => {
    const page = readFileSync(new URL('docs/reference/config.md', root), 'utf8');
    expect(page).toBe(configReference(configSections()));
  });

  it('has a section for every service', () => {
    const services = readdirSync(new URL('services/', root));
    const sections = configSections().map(({ service }) => service);
    expect(services.filter((name) => !sections.includes(name))).toEqual([]);
  });

  it('gives a variable one meaning in all services', () => {
    const meanings = new Map<string, Set<string>>();
    for (const { declaration } of configSections()) {
      for (const { env, type } of Object.values(declaration)) {
        meanings.set(env, (meanings.get(env) ?? new Set()).add(type));
      }
    }
    expect([...meanings].filter(([, types]) => types.size > 1)).toEqual([]);
  });
});
