// SPDX-License-Identifier: Apache-2.0
import type { Mode } from './checks/signature-check.ts';
import { UnsupportedFormat } from './documents/unsupported-format.ts';
import { DEFAULT_POLICY } from './documents/verification-policy.ts';
import { type InputFiles, type Inputs, readInputs } from './inputs.ts';
import { type Judgement, judgeBundle } from './judge/judge-bundle.ts';
import { type Documents, loadDocuments } from './judge/load-documents.ts';
import { concludeClaims, concludeVerdict } from './report/conclude.ts';
import { Failures } from './report/failures.ts';
import { Malformed } from './report/malformed.ts';
import { listNotProved } from './report/not-proved.ts';
import { nothingReached } from './report/standing.ts';
import type { VerifyReport } from './report/verify-report.ts';
import { ReadError, SourceError } from './source/bundle-source.ts';
import { FILE_SYSTEM, type FileAccess } from './source/open-bundle.ts';
import { systemCodeOf } from './source/system-error.ts';

export interface VerifyOptions extends InputFiles {
  /** The folder that holds manifest.json, or a .tar of it. */
  readonly directory: string;
  readonly mode: Mode;
  /** Where the files come from; the file system when it is left out. */
  readonly access?: FileAccess;
}

export const VERIFIER = { name: '@clyra/verifier', version: '0.0.0' } as const;

interface Found {
  inputs: Inputs | null;
  documents: Documents | null;
  judgement: Judgement;
  ioError: string | null;
}

/** Verifies one bundle. Never rejects: what goes wrong is a code in the report and decides its exit code. */
export async function verifyBundle(options: VerifyOptions): Promise<VerifyReport> {
  const failures = new Failures();
  const found: Found = {
    inputs: null,
    documents: null,
    judgement: { standings: nothingReached(), findings: null },
    ioError: null,
  };
  try {
    await judge(options, found, failures);
  } catch (error) {
    noteError(error, found, failures);
  }
  return makeReport(options, found, failures);
}

async function judge(options: VerifyOptions, found: Found, failures: Failures): Promise<void> {
  const access = options.access ?? FILE_SYSTEM;
  const inputs = await readInputs(options, access);
  found.inputs = inputs;
  const source = await access.openBundle(options.directory);
  try {
    const documents = await loadDocuments(source);
    found.documents = documents;
    found.judgement = await judgeBundle({ source, documents, inputs, mode: options.mode }, failures);
  } finally {
    await source.close();
  }
}

function noteError(error: unknown, found: Found, failures: Failures): void {
  if (error instanceof ReadError || systemCodeOf(error) !== undefined) {
    found.ioError = messageOf(error);
  } else if (error instanceof UnsupportedFormat) {
    failures.addUnsupportedFormat(`${error.message} is not known to this verifier`, { file: 'manifest.json' });
  } else if (error instanceof Malformed) {
    const { code, message, location } = error;
    failures.addMalformed({ claim: 'integrity', code, message, location });
  } else if (error instanceof SourceError) {
    const { code, message, file } = error;
    failures.addMalformed({ claim: 'integrity', code, message, location: { file } });
  } else {
    // A defect of the verifier must not look like a verdict on the bundle, least of all like a good one.
    const message = messageOf(error);
    failures.addMalformed({ claim: 'integrity', code: 'CLY_VERIFIER_INTERNAL', message, location: null });
  }
}

function makeReport(options: VerifyOptions, found: Found, failures: Failures): VerifyReport {
  const { inputs, documents, judgement, ioError } = found;
  const manifest = documents?.manifest ?? null;
  const policy = inputs?.policy ?? DEFAULT_POLICY;
  const trustRoot = inputs?.trustRoot ?? null;
  // What was judged before something could not be read says nothing about the bundle.
  const claims =
    ioError === null ? concludeClaims(judgement.standings, failures) : concludeClaims(nothingReached(), new Failures());
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
      manifestDigest: documents?.manifestDigest ?? '',
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
      claims,
      mode: options.mode,
      hasPrevious: options.previousFile !== undefined,
    }),
  };
}

function messageOf(error: unknown): string {
  const hasMessage = typeof error === 'object' && error !== null && 'message' in error;
  return String(hasMessage ? error.message : error);
}
