// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { THREATS } from '@clyra/core/enforcement/threat-map';
import { THREAT_REGISTRY } from '@clyra/core/policy/threat-registry';
import { describe, expect, it } from '@jest/globals';
import { readSources } from '../tidy/read-sources.ts';
import { OPERATION_PREFIXES, reasonCodes, threatOf } from './threats-page.ts';

const ROOT = join(import.meta.dirname, '../../..');
const codes = reasonCodes(readSources(ROOT));
const isOperation = (code: string): boolean => OPERATION_PREFIXES.some((prefix) => code.startsWith(prefix));

describe('reasons', () => {
  it('in the code each map to a threat, or are said to be none', () => {
    expect(codes.length).toBeGreaterThan(80);
    expect(codes.filter((code) => threatOf(code) === undefined && !isOperation(code))).toEqual([]);
    expect(codes.filter((code) => threatOf(code) !== undefined && isOperation(code))).toEqual([]);
  });

  it('name only ids that the registry has, OWASP ones with their edition', () => {
    const ids = THREATS.flatMap(([, { owasp, mitre_id: mitre }]) => [
      ...owasp,
      ...(mitre === undefined ? [] : [mitre]),
    ]);
    expect(ids.filter((id) => !THREAT_REGISTRY.has(id))).toEqual([]);
    const bare = [...THREAT_REGISTRY.keys()].filter((id) => /^(?:LLM|ASI|API)/.test(id) && !/:20\d\d$/.test(id));
    expect(bare).toEqual([]);
  });

  it('have no prefix in the map or in the list that nothing uses', () => {
    const shadowed = THREATS.filter(([prefix], index) =>
      THREATS.slice(0, index).some(([earlier]) => prefix.startsWith(earlier)),
    );
    expect(shadowed).toEqual([]);
    expect(OPERATION_PREFIXES.filter((prefix) => !codes.some((code) => code.startsWith(prefix)))).toEqual([]);
  });

  it('of detectors name ids of the registry too', () => {
    const folder = join(ROOT, 'packs/detectors');
    const named = readdirSync(folder).flatMap((file) =>
      file.endsWith('.json')
        ? [...readFileSync(join(folder, file), 'utf8').matchAll(/"(?:owasp|mitre)":\s*(\[[^\]]*\]|"[^"]*")/g)]
        : [],
    );
    const ids = named.flatMap(([, value = '']) => value.match(/[A-Z][A-Z0-9.:]*\d/g) ?? []);
    expect(ids.filter((id) => !THREAT_REGISTRY.has(id))).toEqual([]);
  });
});
