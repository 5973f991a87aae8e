// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync } from 'node:fs';
import type { DecidedBody, PoisonedBody, RecordedBody } from '@clyra/core/enforcement/receipt-body';
import { describe, expect, it } from '@jest/globals';
import { reasonWords } from './reason-words.ts';
import { receiptInWords } from './receipt-in-words.ts';

const digest = 'ab'.repeat(32);
const common = {
  v: 0,
  change_kind: 'change.requested',
  receipt_id: '12'.repeat(16),
  event_id: '01900000-0000-7000-8000-000000000001',
  tenant: 'acme',
  tenant_seq: 7,
  tenant_prev: digest,
  stream_id: '34'.repeat(16),
  partition: 2,
  offset: 41,
  previous_offset: 40,
  change_digest: digest,
  decided_at: 1_800_000_000_000,
} as const;

const blocked: DecidedBody = {
  ...common,
  kind: 'decided',
  decision: 'block',
  mode: 'gate',
  policy_digest: digest,
  engine: 1,
  actor: 'agent-1',
  route: 'contacts.sync',
  run_id: 'nightly',
  reasons: [
    {
      code: 'CLY_VELOCITY_EXCEEDED',
      effect: 'block',
      rule: 'rate_limits/burst',
      threat_class: 'burst',
      owasp: ['API4:2023'],
      detail: '6 of 5',
    },
  ],
  velocity: [{ rule: 'burst', limit: 5, remaining: 0, window_seconds: 60, reset_ms: 12_500 }],
};

describe('receiptInWords', () => {
  it('says what was asked, what was decided by which rule, and what to do next', () => {
    const text = receiptInWords(blocked);
    for (const part of [
      'change.requested of tenant acme',
      'event 01900000-0000-7000-8000-000000000001 in run nightly',
      'by actor agent-1',
      'on route contacts.sync',
      'BLOCKED at 2027-01-15T08:00:00.000Z',
      'block by rate_limits/burst: too many actions in the window of a rate limit (6 of 5)',
      'CLY_VELOCITY_EXCEEDED · burst; API4:2023',
      '0 of 5 left in 60 s, more in 13 s',
      'Next     Wait until the window has room',
      'partition 2, offset 41',
    ]) {
      expect(text).toContain(part);
    }
  });

  it('says that nothing objected, what the change may do, and what came of it', () => {
    const { velocity: _velocity, ...rest } = blocked;
    const text = receiptInWords(
      {
        ...rest,
        decision: 'allow',
        reasons: [],
        grants: [
          {
            token_hash: digest,
            source_id: 'crm',
            relations: ['public.contacts'],
            operations: ['insert', 'update'],
            rows_max: 10,
            expires_at: 1_800_000_060_000,
          },
        ],
      },
      'done, answered 201',
    );
    expect(text).toContain('ALLOWED');
    expect(text).toContain('no rule objected');
    expect(text).toContain('grants insert, update on public.contacts of crm, at most 10 rows');
    expect(text).toContain('Outcome  done, answered 201');
    expect(text).not.toContain('Next');
  });

  it('explains records without a decision', () => {
    const recorded: RecordedBody = { ...common, kind: 'recorded', effect: 'returned', of: 'x' };
    expect(receiptInWords(recorded)).toContain('what it had spent is given back (event x)');
    const poisoned: PoisonedBody = {
      ...common,
      kind: 'poisoned',
      reason: 'CLY_JSON_UTF8',
      record_digest: digest,
      record_size: 12,
    };
    expect(receiptInWords(poisoned)).toContain(
      'Refused  as unreadable: the body is not acceptable JSON (CLY_JSON_UTF8)',
    );
  });
});

describe('reasonWords', () => {
  it('has words for every code that a decision can carry', () => {
    const core = new URL('../../../libs/core/src/', import.meta.url);
    const codes = ['enforcement', 'inspection'].flatMap((folder) =>
      readdirSync(new URL(`${folder}/`, core), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.includes('.test.'))
        .flatMap(
          (name) => readFileSync(new URL(`${folder}/${name}`, core), 'utf8').match(/'CLY_[A-Z0-9_]*[A-Z0-9]'/g) ?? [],
        ),
    );
    const unexplained = [...new Set(codes)].map((code) => code.slice(1, -1)).filter((code) => !reasonWords(code));
    expect(codes.length).toBeGreaterThan(30);
    expect(unexplained).toEqual([]);
  });
});
