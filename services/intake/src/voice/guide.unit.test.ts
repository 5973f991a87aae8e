// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { canonicalJson } from '@clyra/core/canonical/canonical-json';
import { digestOf } from '@clyra/core/canonical/digest';
import type { JsonValue } from '@clyra/core/canonical/json-value';
import { parseCallRecords } from '@clyra/core/inspection/voice/call-record';
import { type CallState, partnerSignal, withRecord } from '@clyra/core/inspection/voice/call-state';
import { compilePolicy } from '@clyra/core/policy/compile-policy';
import { describe, expect, it } from '@jest/globals';
import { parseActivation } from '../activation/activation-file.ts';

const guide = readFileSync(new URL('../../../../docs/guides/voice-partner-logs.md', import.meta.url), 'utf8');

function snippet(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(guide)?.[1] ?? '';
}

describe('docs/guides/voice-partner-logs.md', () => {
  it('shows a file and a policy that are accepted as they stand', () => {
    expect([...parseActivation(Buffer.from(snippet('json'))).partners.keys()]).toEqual(['pbx']);
    const [rule] = compilePolicy(snippet('yaml')).policy.voice;
    expect(rule).toMatchObject({ asserted_by: 'partner', attestation_min: 'B', signal_seconds_max: 60 });
  });

  it('shows a call that complies, and how its digest is made', () => {
    const text = snippet('ndjson');
    const records = parseCallRecords(Buffer.from(text), 1_790_000_010_000);
    if ('fault' in records) throw new Error(records.fault);
    const state = records.reduce<CallState | undefined>((before, record) => withRecord(before, record), undefined);
    const signal = partnerSignal('hooks/pbx', state as CallState);
    expect(signal).toMatchObject({ contradicted: false, attestation: 'A', disclaimer_acknowledged: true });
    const lines = text.trim().split('\n');
    const digest = lines.reduce(
      (before, line) => digestOf(`${before}\n${digestOf(canonicalJson(JSON.parse(line) as JsonValue))}`),
      digestOf('clyra/voice/v0\nvs-42'),
    );
    expect(signal.digest).toBe(digest);
  });
});
