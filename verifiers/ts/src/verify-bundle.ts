// SPDX-License-Identifier: Apache-2.0

import type { Mode } from './checks/signature-check.ts';
import { DEFAULT_POLICY } from './documents/verification-policy.ts';
import { FileError, systemCodeOf } from './files/open-regular.ts';
import { readInputs } from './inputs.ts';
import { type Judgement, judgeBundle, nothingJudged } from './judge-bundle.ts';
import { concludeClaims, concludeVerdict } from './report/conclude.ts';
import { Failures } from './report/failures.ts';
import { listNotProved } from './report/not-proved.ts';
import { settleStanding } from './report/standing.ts';
import type { VerifyReport } from './report/verify-report.ts';

export interface VerifyOptions {
  /** The folder that holds manifest.json. */
  readonly directory: string;
  readonly trustRootFile?: string;
  /** A verification policy; without one all claims but `reperformance` are required. */
  readonly policyFile?: string;
  readonly mode: Mode;
  /** The checkpoint of the bundle before, as the reader kept it. */
  readonly previousFile?: string;
}

export const VERIFIER = { name: '@clyra/verifier', version: '0.0.0' } as const;

/** Verifies one bundle. Never rejects: what goes wrong is a code in the report and decides its exit code. */
export async function verifyBundle(options: VerifyOptions): Promise<VerifyReport> {
  const failures = new Failures();
  let judgement: Judgement = nothingJudged();
  let ioError: string | null = null;
  try {
    judgement = await judgeInputs(options, failures);
  } catch (error) {
    if (error instanceof FileError || systemCodeOf(error) !== undefined) {
      ioError = messageOf(error);
    } else {
      // A defect of the verifier must not look like a verdict on the bundle, least of all like a good one.
      const message = messageOf(error);
      failures.addMalformed({ claim: 'integrity', code: 'CLY_VERIFIER_INTERNAL', message, location: null });
    }
  }
  return makeReport(options, { judgement, failures, ioError });
}

async function judgeInputs(options: VerifyOptions, failures: Failures): Promise<Judgement> {
  const inputs = await readInputs(options, failures);
  return inputs === null ? nothingJudged() : await judgeBundle(options, inputs, failures);
}

function makeReport(
  options: VerifyOptions,
  found: { judgement: Judgement; failures: Failures; ioError: string | null },
): VerifyReport {
  const { judgement, failures, ioError } = found;
  const { manifest, inputs } = judgement;
  const policy = inputs?.policy ?? DEFAULT_POLICY;
  const trustRoot = inputs?.trustRoot ?? null;
  const claims = concludeClaims(settleStanding(judgement), failures);
  const verdict =
    ioError === null
      ? concludeVerdict(claims, policy, failures)
      : ({ verdict: 'io_error', exitCode: 5, reason: ioError } as const);
  return {
    ...verdict,
    verifier: VERIFIER,
    mode: options.mode,
    directory: options.directory,
    bundle: manifest && {
      tenant: manifest.tenant,
      origin: manifest.origin,
      range: manifest.range,
      root: manifest.root,
      manifestDigest: judgement.manifestDigest ?? '',
      trustRootNamed: manifest.trust_root,
      separation: manifest.separation,
    },
    trustRoot: trustRoot && {
      digest: trustRoot.digest,
      version: trustRoot.version,
      singleOperator: trustRoot.singleOperator,
    },
    policy: { name: policy.name, require: policy.require },
    claims,
    failures: failures.kept,
    failuresTotal: failures.total,
    findings: judgement.findings,
    notProved: listNotProved(manifest, {
      trustRoot,
      mode: options.mode,
      hasPrevious: options.previousFile !== undefined,
    }),
  };
}

function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(hasMessage ? error.message : error);
}
