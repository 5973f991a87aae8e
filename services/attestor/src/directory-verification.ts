// SPDX-License-Identifier: Apache-2.0
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { digestOf } from '@clyra/core/canonical/digest';
import { ClyraError } from '@clyra/core/kernel/error';
import { segmentsOf } from '@clyra/core/ports/blob-name';
import type { BlobStore } from '@clyra/core/ports/blob-store';
import { verifyBundle } from '@clyra/verifier/verify-bundle';
import type { BundleVerification, Finding } from './bundle-verification.ts';
import type { VerificationPolicy } from './verification-policy.ts';
import { WorkFolder } from './work-folder.ts';

export type DirectoryVerificationOptions = {
  readonly blobs: BlobStore;
  /** Where a folder is made for each bundle and removed again. */
  readonly workDir: string;
  /** As the operator gave it to this service; never taken from a bundle. */
  readonly trustRootFile: string;
  readonly policy: VerificationPolicy;
};

type Announced = { readonly location: string; readonly manifestDigest: string };
type Report = Awaited<ReturnType<typeof verifyBundle>>;

const POLICY_FILE = 'verification-policy.json';
const BUNDLE_DIR = 'bundle';
const MODE = 'full';

/** Fetches a bundle into a folder of its own, piece by piece, and runs the one verifier there is on every signature of it. */
export class DirectoryVerification implements BundleVerification {
  readonly #options: DirectoryVerificationOptions;
  readonly #folders: WorkFolder;

  constructor(options: DirectoryVerificationOptions) {
    this.#options = options;
    this.#folders = new WorkFolder(options.workDir);
  }

  async verify(bundle: Announced): Promise<Finding> {
    try {
      return await this.#verify(bundle);
    } catch (cause) {
      throw workDirError(bundle.location, cause);
    }
  }

  async #verify(bundle: Announced): Promise<Finding> {
    const report = await this.#folders.use((folder) => this.#judge(bundle, folder));
    if (report === undefined) throw unreadable(bundle.location, 'was taken away while it was judged');
    return this.#finding(report, bundle);
  }

  async #judge(bundle: Announced, folder: string): Promise<Report> {
    const { trustRootFile, policy } = this.#options;
    const directory = join(folder, BUNDLE_DIR);
    const policyFile = join(folder, POLICY_FILE);
    await writeFile(policyFile, policy.bytes);
    await this.#fetch(bundle, directory);
    return verifyBundle({ directory, trustRootFile, policyFile, mode: MODE });
  }

  async #fetch({ location }: Announced, directory: string): Promise<void> {
    const names = await this.#options.blobs.list(`${location}/`);
    if (!names.includes(`${location}/manifest.dsse.json`)) throw unreadable(location, 'is not whole');
    for (const name of names) {
      // A bucket may hold names that no blob has, and a file is opened before its first piece is asked for.
      const path = join(directory, ...segmentsOf(name.slice(location.length + 1)));
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, this.#options.blobs.read(name));
    }
  }

  #finding(report: Report, { location, manifestDigest }: Announced): Finding {
    if (report.exitCode === 5) throw unreadable(location, report.reason);
    const defect = report.failures.find(({ code }) => code === 'CLY_VERIFIER_INTERNAL');
    if (defect !== undefined || report.trustRoot === null) {
      throw new ClyraError(
        'CLY_ATTEST_VERIFIER',
        `the verifier could not judge ${location}: ${defect?.message ?? 'it has no trust root'}; nothing is attested before it can`,
        { retry: 'never', context: { location } },
      );
    }
    // The digest that was announced must be that of the manifest that was judged.
    const announced = report.bundle?.manifestDigest === manifestDigest;
    const { policy } = this.#options;
    return {
      verifier: { ...report.verifier, mode: MODE },
      policy: { name: policy.name, digest: digestOf(policy.bytes) },
      trustRoot: report.trustRoot.digest,
      passed: report.exitCode === 0 && announced,
      verdict: announced ? report.verdict : 'manifest_other',
      claims: report.claims.map(({ id, status, code }) => ({ id, status, code: code ?? null })),
    };
  }
}

function unreadable(location: string, what: string): ClyraError {
  return new ClyraError('CLY_ATTEST_UNREADABLE', `${location} ${what}: it is read again`, {
    retry: 'backoff',
    context: { location },
  });
}

/** What the disk of the work folder refuses may pass, as may what has a name; the rest is a bug. */
function workDirError(location: string, cause: unknown): unknown {
  if (typeof cause !== 'object' || cause === null || !('syscall' in cause && 'code' in cause)) return cause;
  const errno = String(cause.code);
  return new ClyraError(
    'CLY_ATTEST_WORK_DIR',
    `${location} cannot be laid out below CLYRA_DATA_DIR (${errno}): free space for it or give this user the right to write`,
    { retry: 'backoff', context: { location, errno }, cause },
  );
}
