// SPDX-License-Identifier: Apache-2.0
import { ChainCheck } from '../checks/chain-check.ts';
import { CommandCheck } from '../checks/command-check.ts';
import { DocumentCheck } from '../checks/document-check.ts';
import { Metrics } from '../checks/metrics.ts';
import { PolicyCheck } from '../checks/policy-check.ts';
import { ReconciliationCheck } from '../checks/reconciliation-check.ts';
import { SeparationCheck } from '../checks/separation-check.ts';
import { type Mode, SignatureCheck } from '../checks/signature-check.ts';
import { SourceCheck } from '../checks/source-check.ts';
import type { BundleManifest } from '../documents/manifest.ts';
import type { GuardedSource } from '../documents/policy-document.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Failures } from '../report/failures.ts';
import { reporter } from '../report/line-report.ts';
import { BlockVerifier } from '../signature/block-verifier.ts';
import type { KeyBook } from '../trust/delegations.ts';
import { JournalFold } from './journal-fold.ts';
import { TrustFold } from './trust-fold.ts';

export interface FoldParts {
  readonly manifest: BundleManifest;
  readonly mode: Mode;
  readonly keys: KeyBook | null;
  readonly ledger: Ledger;
  readonly policies: ReadonlyMap<string, readonly GuardedSource[]>;
}

/** Puts the checks of one bundle together over its opening ledger, which the fold then changes. */
export function buildFold(parts: FoldParts, failures: Failures): JournalFold {
  const { manifest, mode, keys, ledger, policies } = parts;
  const report = reporter(failures);
  const log = { tenant: manifest.tenant, streamId: manifest.stream_id, partition: manifest.cut.partition };
  const commands = new CommandCheck(keys, report);
  for (const delegation of ledger.delegations) {
    commands.delegation(delegation);
    keys?.lend(delegation);
  }
  const checks = {
    chain: new ChainCheck(ledger, manifest.tenant, report),
    signatures: new SignatureCheck(keys && new BlockVerifier(keys), mode, report),
    commands,
    policy: new PolicyCheck(ledger, policies, report),
    sources: new SourceCheck(ledger, report),
    reconciliation: new ReconciliationCheck(ledger, report),
    documents: new DocumentCheck(manifest.artifacts),
    separation: new SeparationCheck(),
    metrics: new Metrics(),
  };
  return new JournalFold({ log, ledger, checks, trust: new TrustFold(ledger, keys, report), report });
}
