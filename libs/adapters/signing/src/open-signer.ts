// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises';
import { ClyraError } from '@clyra/core/kernel/error';
import type { Signer } from '@clyra/core/ports/signer';
import { fileSigner } from './file-signer.ts';
import { httpSigner } from './http-signer.ts';

const DEADLINE_MS_DEFAULT = 5_000;
const DEADLINE_MS_MAX = 60_000;

/**
 * The one door to keys. `where` is a PEM file, `aws-kms:<key id or ARN>`, or the http(s) address of a signer
 * (README.md). Options stand behind `#`, as in a query: `deadline_ms`, and `region`, `endpoint` (KMS) or `token_file`,
 * `ca_file`, `cert_file`, `key_file` (HTTP). Secrets are named by file, so that an address may stand in a log.
 */
export async function openSigner(where: string): Promise<Signer> {
  const [address = '', fragment = ''] = split(where);
  const isKms = address.startsWith('aws-kms:');
  if (!isKms && !/^https?:\/\//.test(address)) return fileSigner(where);
  const options = readOptions(where, fragment, isKms ? KMS_OPTIONS : HTTP_OPTIONS);
  const deadlineMs = deadlineOf(where, options.get('deadline_ms'));
  if (isKms) {
    const [region, endpoint] = [options.get('region') ?? undefined, options.get('endpoint') ?? undefined];
    // Only who uses it pays for the memory of its SDK.
    const { kmsSigner } = await import('./kms-signer.ts');
    return kmsSigner({
      keyId: address.slice('aws-kms:'.length),
      deadlineMs,
      ...(region === undefined ? {} : { region }),
      ...(endpoint === undefined ? {} : { endpoint }),
    });
  }
  const [token, ca, cert, key] = await Promise.all(
    ['token_file', 'ca_file', 'cert_file', 'key_file'].map((name) => readOptional(options.get(name))),
  );
  return httpSigner({
    url: address.replace(/\/$/, ''),
    deadlineMs,
    ...(token === undefined ? {} : { bearerToken: token.trim() }),
    tls: {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
    },
  });
}

const KMS_OPTIONS = ['deadline_ms', 'region', 'endpoint'];
const HTTP_OPTIONS = ['deadline_ms', 'token_file', 'ca_file', 'cert_file', 'key_file'];

function split(where: string): readonly string[] {
  const at = where.indexOf('#');
  return at < 0 ? [where] : [where.slice(0, at), where.slice(at + 1)];
}

function readOptions(where: string, fragment: string, known: readonly string[]): URLSearchParams {
  const options = new URLSearchParams(fragment);
  const unknown = [...options.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(where, `has an unknown option ${unknown}; known are ${known.join(', ')}`);
  return options;
}

function deadlineOf(where: string, text: string | null | undefined): number {
  const deadlineMs = text == null ? DEADLINE_MS_DEFAULT : Number(text);
  if (Number.isSafeInteger(deadlineMs) && deadlineMs >= 1 && deadlineMs <= DEADLINE_MS_MAX) return deadlineMs;
  throw invalid(where, `has a deadline_ms that is not 1 to ${DEADLINE_MS_MAX}`);
}

async function readOptional(path: string | null | undefined): Promise<string | undefined> {
  if (path == null) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw invalid(path, `cannot be read (${(cause as NodeJS.ErrnoException).code})`, cause);
  }
}

function invalid(where: string, what: string, cause?: unknown): ClyraError {
  return new ClyraError('CLY_SIGNER_SETTING', `signer setting ${where} ${what}`, { retry: 'never', cause });
}
