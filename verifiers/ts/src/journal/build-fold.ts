// SPDX-License-Identifier: Apache-2.0
import { ChainCheck, type Report } from '../checks/chain-check.ts';
import { CommandCheck } from '../checks/command-check.ts';
import { PolicyCheck } from '../checks/policy-check.ts';
import { ReconciliationCheck } from '../checks/reconciliation-check.ts';
import { type Mode, SignatureCheck } from '../checks/signature-check.ts';
import type { Manifest } from '../documents/manifest.ts';
import type { GuardedSource } from '../documents/policy-document.ts';
import type { Inputs } from '../inputs.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Failures } from '../report/failures.ts';
import { BlockVerifier } from '../signature/block-verifier.ts';
import { JournalFold } from './journal-fold.ts';
import { JOURNAL } from './verify-journal.ts';

/** Puts the checks of one bundle together over its opening ledger, which the fold then changes. */
export function buildFold(
  given: { readonly manifest: Manifest; readonly mode: Mode; readonly inputs: Inputs; readonly failures: Failures },
  ledger: Ledger,
  policies: ReadonlyMap<string, readonly GuardedSource[]>,
): JournalFold {
  const { manifest, mode, inputs, failures } = given;
  const report: Report = ({ claim, code, at, message }) => {
    const text = at.member === undefined ? `line ${at.line}: ${message}` : `line ${at.line}: ${at.member} ${message}`;
    const location = { file: JOURNAL, ...at };
    if (code === 'CLY_KEY_ALGORITHM') {
      failures.addUnsupported({ claim, code, message: text, location });
    } else {
      failures.add({ claim, code, message: text, location });
    }
  };
  const log = { tenant: manifest.tenant, streamId: manifest.stream_id, partition: manifest.cut.partition };
  const verifier = inputs.trustRoot === null ? null : new BlockVerifier(inputs.trustRoot);
  const checks = {
    chain: new ChainCheck(ledger, manifest.tenant, report),
    signatures: new SignatureCheck(verifier, mode, report),
    commands: new CommandCheck(inputs.trustRoot, manifest.trust_root, report),
    policy: new PolicyCheck(ledger, policies, report),
    reconciliation: new ReconciliationCheck(ledger, report),
  };
  return new JournalFold({ log, ledger, checks, report });
}
