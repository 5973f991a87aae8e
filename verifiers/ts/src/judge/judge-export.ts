// SPDX-License-Identifier: Apache-2.0
import { allowedCommand, checkDecidedBindings, checkObservedBindings, digestIn } from '../checks/bindings.ts';
import { CommandCheck } from '../checks/command-check.ts';
import { DocumentCheck } from '../checks/document-check.ts';
import { ExportChain } from '../checks/export-chain.ts';
import { ExportPolicies } from '../checks/export-policies.ts';
import type { Report } from '../checks/report.ts';
import { SignatureCheck } from '../checks/signature-check.ts';
import { DisclosureCheck } from '../disclosure/disclosure-check.ts';
import type { ExportManifest } from '../documents/export-manifest.ts';
import type { DecidedLine, JournalLine, ReplacedLine } from '../journal/line.ts';
import { TrustFold } from '../journal/trust-fold.ts';
import { verifyJournal } from '../journal/verify-journal.ts';
import { encodeCanonical } from '../json/encode.ts';
import type { Failures } from '../report/failures.ts';
import { reporter } from '../report/line-report.ts';
import { HOLDS, nothingReached, type Standing, type Standings } from '../report/standing.ts';
import { BlockVerifier } from '../signature/block-verifier.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import { ABSENT_DISCLOSURE, ABSENT_TRUST_ROOT, type Bundle, failAll, type JudgedLines, useOf } from './bundle.ts';
import { cutOf, reportMember } from './fold-agreement.ts';
import { checkJournalAgreement } from './journal-agreement.ts';

const PARTIAL: Standing = {
  status: 'PARTIAL',
  code: 'CLY_EXPORT_PARTIAL',
  message: 'lines of the bundle are left out',
};
const NO_REPLAY: Standing = {
  status: 'ABSENT',
  code: 'CLY_REPERFORMANCE_ABSENT',
  message: 'an export is not replayed',
};

/** Judges the lines of an export (verification.md §5): each by itself, and by a neighbour that stands. */
export async function judgeExport(bundle: Bundle, manifest: ExportManifest, failures: Failures): Promise<JudgedLines> {
  const { source, inputs, mode } = bundle;
  const lines = new ExportLines(bundle, manifest, failures);
  const disclosures = inputs.disclosures === null ? null : new DisclosureCheck(inputs.disclosures, failures);
  const judge = {
    step: (line: JournalLine | ReplacedLine) => {
      lines.step(line);
      disclosures?.step(line);
    },
  };
  const file = await source.open(JOURNAL);
  const journal = await verifyJournal(file, { manifest, mode, use: useOf(bundle), failures }, judge).finally(() =>
    file.close(),
  );
  if (journal.unreadableLine !== null) {
    const message = `line ${journal.unreadableLine} is no line of the format: what follows it cannot be judged`;
    const claims = ['order', 'completeness', 'policy', 'reconciliation', 'coverage'] as const;
    failAll(claims, { code: 'CLY_JOURNAL_UNREADABLE', message }, { bundle, failures });
  }
  checkJournalAgreement(manifest, journal, failures);
  if (journal.unreadableLine === null) {
    lines.finish();
  }
  const standings: Standings = {
    ...nothingReached(),
    integrity: HOLDS,
    authorship: inputs.trustRoot === null ? ABSENT_TRUST_ROOT : HOLDS,
    order: PARTIAL,
    completeness: PARTIAL,
    policy: PARTIAL,
    reconciliation: PARTIAL,
    coverage: PARTIAL,
    reperformance: NO_REPLAY,
  };
  return {
    journalRoot: journal.root.toString('hex'),
    findings: null,
    finish: () => Promise.resolve({ ...standings, disclosure: disclosures?.finish() ?? ABSENT_DISCLOSURE }),
  };
}

/** The checks that a line of an export still allows. */
class ExportLines {
  readonly #manifest: ExportManifest;
  readonly #failures: Failures;
  readonly #report: Report;
  readonly #signatures: SignatureCheck;
  readonly #commands: CommandCheck;
  readonly #trust: TrustFold;
  readonly #documents: DocumentCheck;
  readonly #chain: ExportChain;
  readonly #policies: ExportPolicies;
  #openingRoot: string | undefined;
  #last: DecidedLine | null = null;

  constructor({ keys, mode, policies }: Bundle, manifest: ExportManifest, failures: Failures) {
    this.#manifest = manifest;
    this.#failures = failures;
    this.#report = reporter(failures);
    this.#signatures = new SignatureCheck(keys && new BlockVerifier(keys), mode, this.#report);
    this.#commands = new CommandCheck(keys, this.#report);
    this.#trust = new TrustFold(null, keys, this.#report);
    this.#documents = new DocumentCheck(manifest.artifacts);
    this.#chain = new ExportChain(manifest, this.#report);
    this.#policies = new ExportPolicies(policies, this.#report);
  }

  step(line: JournalLine | ReplacedLine): void {
    this.#last = line.kind === 'decided' ? line : null;
    this.#chain.step(line);
    const { tenant, stream_id: streamId, cut } = this.#manifest;
    const log = { tenant, streamId, partition: cut.partition };
    if (line.kind === 'decided') {
      this.#binding(line.line, checkDecidedBindings(line, log));
      this.#signatures.decided(line);
      this.#commands.decided(line, 'unknown');
      this.#trust.decided(line);
      this.#openingRoot ??= digestIn(allowedCommand(line, 'tenant.opened')?.trust_root);
      this.#documents.decided(line);
      this.#policies.decided(line);
    } else if (line.kind === 'observed') {
      this.#binding(line.line, checkObservedBindings(line, log));
      this.#signatures.observed(line);
      this.#documents.observed(line);
    }
  }

  /** `cut`, the artifacts, and the trust root where the log begins (verification.md §5, 13). */
  finish(): void {
    this.#chain.finish();
    const { cut, artifacts, trust_root: trustRoot } = this.#manifest;
    if (this.#last !== null) {
      const expected = cutOf(this.#last.receipt.read);
      if (encodeCanonical(expected) !== encodeCanonical(cut)) {
        reportMember(this.#failures, 'cut', [expected, { ...cut }]);
      }
    }
    if (this.#openingRoot !== undefined && this.#openingRoot !== trustRoot) {
      reportMember(this.#failures, 'trust_root', [this.#openingRoot, trustRoot]);
    }
    for (const { kind, sha256 } of artifacts) {
      const isNamed = kind === 'document' ? this.#documents.isMentioned(sha256) : this.#policies.isNamed(sha256);
      if (!isNamed) {
        const message = `artifacts/${sha256} is of kind ${kind}, but no line in place names it`;
        const location = { file: `artifacts/${sha256}` };
        this.#failures.add({ claim: 'integrity', code: 'CLY_BUNDLE_ARTIFACT_UNNAMED', message, location });
      }
    }
  }

  #binding(line: number, mismatch: ReturnType<typeof checkDecidedBindings>): void {
    if (mismatch !== null) {
      const { code, member, message } = mismatch;
      this.#report({ claim: 'integrity', code, at: { line, member }, message });
    }
  }
}
