// SPDX-License-Identifier: Apache-2.0
import type { LogBuilder } from '@clyra/verifier/testing/log-builder';
import { hexOf, type Loose, makeKey, type TestKey } from '@clyra/verifier/testing/primitives';
import { cosign } from '@clyra/verifier/testing/seal';
import { LINE } from '@clyra/verifier/testing/standard-bundle';
import { at, BASIC, type ConformanceCase, edited, editedSecond, KEYS, makeCase, PAIR } from '../conformance-case.ts';

const CARRIED = 'What the bundle before says.';
const LEDGER = String(PAIR.second.files.get(`artifacts/${PAIR.second.manifest.opening_ledger}`));

/** The second bundle with another artifact of a kind: digest and size stand in its manifest as they are. */
function carrying(kind: string, from: string, to: string): Parameters<typeof makeCase>[1] {
  const digest = hexOf(to);
  const bundle = editedSecond({
    manifest: (manifest: Loose) => {
      const old = manifest.artifacts.find((one: Loose) => one.sha256 === hexOf(from));
      Object.assign(old, { kind, sha256: digest, size: Buffer.byteLength(to) });
      manifest.artifacts.sort((left: Loose, right: Loose) => (left.sha256 < right.sha256 ? -1 : 1));
      if (kind === 'ledger') {
        manifest.opening_ledger = digest;
      }
    },
  });
  return {
    bundle,
    bend: (files) => {
      files.delete(`artifacts/${hexOf(from)}`);
      files.set(`artifacts/${digest}`, Buffer.from(to));
    },
  };
}

function stateText(): string {
  const { sha256 } = PAIR.second.manifest.artifacts.find((one: Loose) => one.kind === 'state');
  return String(PAIR.second.files.get(`artifacts/${sha256}`));
}

/** More delegations at a time than a ledger holds. */
function delegate(builder: LogBuilder): void {
  for (let index = 0; index < 65; index += 1) {
    const lent = makeKey(['recorder'], `process-${index}`);
    const key = {
      alg: 'ed25519',
      key_id: lent.keyId,
      public_key: lent.publicKey.toString('base64'),
      roles: ['recorder'],
    };
    builder.command(
      'key.delegated',
      { key: { ...key, valid_from: 900_000, valid_to: 3_000_000 } },
      { signers: [builder.keys.delegator as TestKey], subject: 'kms' },
    );
  }
}

function cosignedByItself(): Parameters<typeof makeCase>[1] {
  const bundle = edited({
    trustRoot: (root) => {
      root.keys.find((key: Loose) => key.subject === 'wanda').operator = 'acme';
    },
  });
  const checkpoint = bundle.files.get('checkpoint') as Buffer;
  const line = Buffer.from(cosign(checkpoint, KEYS.witness as TestKey, 1_500));
  const bend = (files: Map<string, Buffer>) => files.set('checkpoint', Buffer.concat([checkpoint, line]));
  return { bundle, bend, policy: [...BASIC, 'witness'] };
}

/** What a bundle takes over from the one before, and limits that only a long log reaches. */
export function carriedCases(): readonly ConformanceCase[] {
  return [...artifactCases(), ...limitCases(), ...figureCases()];
}

function artifactCases(): readonly ConformanceCase[] {
  const state = stateText();
  return [
    makeCase(
      ['state-shape', [1, 'completeness', 'CLY_STATE_SHAPE'], 'A state of lines that have no grammar.', CARRIED],
      carrying('state', state, state.replace('"n":1', '"n":1.5')),
    ),
    makeCase(
      [
        'ledger-shape',
        [1, 'completeness', 'CLY_LEDGER_SHAPE'],
        'A ledger with a line of a kind that is none.',
        CARRIED,
      ],
      carrying('ledger', LEDGER, LEDGER.replace('"kind":"guarded"', '"kind":"guarding"')),
    ),
    makeCase(
      [
        'ledger-guards-other',
        [1, 'policy', 'CLY_POLICY_GUARDED'],
        'A ledger whose guarded relations are not those of its policy: what was unguarded before would go unseen.',
        CARRIED,
      ],
      carrying('ledger', LEDGER, LEDGER.replace('"relation":"public.orders"', '"relation":"public.others"')),
    ),
  ];
}

function limitCases(): readonly ConformanceCase[] {
  return [
    makeCase(
      ['ledger-limit', [1, 'integrity', 'CLY_LEDGER_LIMIT'], 'A delegation more than a ledger holds.', CARRIED],
      { bundle: edited({ more: delegate }) },
    ),
    makeCase(
      ['witness-inside', [4, 'witness', 'CLY_WITNESS_INSIDE'], 'Whoever runs the log cannot be its witness.', CARRIED],
      cosignedByItself(),
    ),
  ];
}

function figureCases(): readonly ConformanceCase[] {
  return [
    makeCase(
      [
        'journal-size-other',
        [1, 'integrity', 'CLY_BUNDLE_JOURNAL_SIZE'],
        'A size in the manifest that the journal does not have, beside its right digest.',
        CARRIED,
      ],
      { bundle: edited({ manifest: (manifest) => (manifest.journal.size += 1) }) },
    ),
    makeCase(
      [
        'journal-lines-other',
        [1, 'integrity', 'CLY_BUNDLE_JOURNAL_LINES'],
        'A range of more lines than the journal has.',
        CARRIED,
      ],
      {
        bundle: edited({
          manifest: (manifest) => {
            manifest.range.end += 1;
            manifest.journal.lines += 1;
          },
        }),
      },
    ),
    makeCase(
      [
        'coverage-unknown',
        [4, 'coverage', 'CLY_COVERAGE_UNKNOWN'],
        'A guarded source that never said what it can show.',
        'That it showed less.',
      ],
      {
        bundle: edited({
          observation: at(LINE.coverage, (body) => (body.kind = 'noted')),
          // What its one grant did was not seen.
          manifest: ({ reconciliation }) => Object.assign(reconciliation, { state: 'provisional', unobserved: 1 }),
        }),
      },
    ),
  ];
}
