// SPDX-License-Identifier: Apache-2.0

import { isVersionOf } from '../checks/command-check.ts';
import type { Inputs } from '../inputs.ts';
import { readCutTime } from '../journal/last-line.ts';
import type { Failures } from '../report/failures.ts';
import type { Standings } from '../report/standing.ts';
import { JOURNAL } from '../source/bundle-names.ts';
import type { BundleSource } from '../source/bundle-source.ts';
import { judgeTimes } from '../time/judge-times.ts';
import { KeyBook } from '../trust/delegations.ts';
import { judgeWitnesses } from '../witness/judge-witnesses.ts';
import { checkArtifacts } from './artifacts.ts';
import type { Bundle, Findings } from './bundle.ts';
import { judgeExport } from './judge-export.ts';
import { judgeRange } from './judge-range.ts';
import { loadPolicies } from './load-carried.ts';
import type { Documents } from './load-documents.ts';
import { type Outside, readOutside } from './outside.ts';
import { checkSealAgreement, checkSealSignatures } from './seals.ts';

/** What came of judging a bundle, failures apart. */
export interface Judgement {
  readonly standings: Standings;
  readonly findings: Findings | null;
}

/** Lets every check see the bundle, in the order of verification.md §3 E. Throws system errors and ReadError only. */
export async function judgeBundle(
  given: Pick<Bundle, 'source' | 'documents' | 'inputs' | 'mode'>,
  failures: Failures,
): Promise<Judgement> {
  const { source, documents, inputs } = given;
  const { manifest, checkpoint } = documents;
  const { trustRoot } = inputs;
  checkTrustRoot(documents, inputs, failures);
  const outside = await readOutside(source, { checkpoint, trustRoot }, failures);
  const cutMs = await readCutMs(source);
  const { tokens, insideOperator, cosignatures } = outside;
  const sealed = checkpoint.sealedBytes;
  const times = judgeTimes(tokens, { trustRoot, sealed, insideOperator, cutMs }, failures);
  const sound = await checkArtifacts(source, manifest, failures);
  const policies = await loadPolicies(source, { manifest, sound }, failures);
  const keys = trustRoot === null ? null : new KeyBook(trustRoot, times.trustedMs);
  const bundle: Bundle = { ...given, keys, cutMs, sound, policies };
  const judged =
    manifest.export === undefined
      ? await judgeRange(bundle, manifest, failures)
      : await judgeExport(bundle, manifest, failures);
  checkSealAgreement(documents, judged.journalRoot, failures);
  checkAuthorship(bundle, { outside, trustedMs: times.trustedMs }, failures);
  const witness = judgeWitnesses(checkpoint, { lines: cosignatures, trustRoot, insideOperator }, failures);
  const after = await judged.finish();
  return { standings: { ...after, time: times.standing, witness }, findings: judged.findings };
}

function checkTrustRoot({ manifest }: Documents, { trustRoot }: Inputs, failures: Failures): void {
  if (trustRoot === null) {
    return;
  }
  const fail = (code: string, message: string, member: string) =>
    failures.add({ claim: 'authorship', code, message, location: { file: 'manifest.json', member } });
  if (!isVersionOf(trustRoot, manifest.trust_root)) {
    fail('CLY_TRUST_ROOT_OTHER', 'the manifest names another trust root than the one passed', 'trust_root');
  }
  if (manifest.origin !== `${trustRoot.logOrigin}/${manifest.tenant}`) {
    fail('CLY_TRUST_ROOT_ORIGIN', `the origin is not that of ${trustRoot.logOrigin}`, 'origin');
  }
}

async function readCutMs(source: BundleSource): Promise<number | null> {
  const file = await source.open(JOURNAL);
  try {
    return await readCutTime(file);
  } finally {
    await file.close();
  }
}

function checkAuthorship(
  { documents, inputs, cutMs }: Bundle,
  { outside, trustedMs }: { readonly outside: Outside; readonly trustedMs: number | null },
  failures: Failures,
): void {
  const { trustRoot, previous } = inputs;
  if (trustRoot !== null) {
    const own = documents.checkpoint.signatures.slice(1).map(({ name }) => name);
    const furtherNames = [...own, ...outside.cosignatures.map(({ name }) => name)];
    checkSealSignatures(documents, { trustRoot, previous, furtherNames, at: { timeMs: cutMs, trustedMs } }, failures);
  }
}
