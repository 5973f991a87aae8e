// SPDX-License-Identifier: Apache-2.0
import { materialize } from '@clyra/cli/conformance/materialize';
import type { Step } from '@clyra/cli/conformance/suite';
import { argumentsOf, type ClaimVerdict, SUITE_FOLDER, type SuiteCase } from '@clyra/cli/conformance/suite';
import { readArguments } from '@clyra/verifier/arguments';
import { canonical } from '@clyra/verifier/testing/primitives';
import { type VerifyOptions, verifyBundle } from '@clyra/verifier/verify-bundle';
import { BASE, BASIC, type ConformanceCase, policyText } from './conformance-case.ts';
import { packTar } from './pack-tar.ts';

const SHARED = '../_shared';

/** Files that cases share, by path in the suite. */
export function sharedFiles(): ReadonlyMap<string, Buffer> {
  return new Map([
    ['_shared/trust-root.json', BASE.trustRoot],
    ['_shared/policy.json', Buffer.from(policyText(BASIC))],
    ['_shared/good.tar', packTar(BASE.files)],
  ]);
}

/** The files of a case, by path in its folder, and what it says without its expectation. */
export function filesOf(one: ConformanceCase): {
  readonly files: ReadonlyMap<string, Buffer>;
  readonly about: Omit<SuiteCase, 'folder' | 'expect'>;
} {
  const files = new Map<string, Buffer>(one.tar === undefined ? [] : [['bundle.tar', one.tar]]);
  const steps = [...(one.tar === undefined ? stepsTo(one.files) : []), ...(one.steps ?? [])];
  const own = (name: string, content: Buffer | string | undefined, shared?: string) => {
    if (content !== undefined) {
      files.set(name, Buffer.from(content));
      return name;
    }
    return shared;
  };
  const trustRoot =
    one.trustRoot === null ? undefined : own('trust-root.json', one.trustRoot, `${SHARED}/trust-root.json`);
  const policy =
    one.policy === null ? undefined : own('policy.json', one.policy && policyText(one.policy), `${SHARED}/policy.json`);
  const previous = own('previous', one.previous);
  const disclosures = own('disclosures.jsonl', one.disclosures);
  return {
    files,
    about: {
      name: one.name,
      bundle: one.tar === undefined ? `${SHARED}/good.tar` : 'bundle.tar',
      ...(steps.length === 0 ? {} : { steps }),
      ...(trustRoot === undefined ? {} : { trust_root: trustRoot }),
      ...(policy === undefined ? {} : { policy }),
      ...(previous === undefined ? {} : { previous }),
      ...(disclosures === undefined ? {} : { disclosures }),
      ...(one.mode === undefined ? {} : { mode: one.mode }),
    },
  };
}

/** How the good bundle becomes this one: cases hold only what they have otherwise. */
function stepsTo(files: ReadonlyMap<string, Buffer>): readonly Step[] {
  const removed = [...BASE.files.keys()].filter((name) => !files.has(name));
  const changed = [...files].filter(([name, bytes]) => BASE.files.get(name)?.equals(bytes) !== true);
  return [
    ...removed.map((name): Step => ({ op: 'remove', name })),
    ...changed.map(([name, bytes]) => stepTo(name, bytes, BASE.files.get(name))),
  ];
}

function stepTo(name: string, bytes: Buffer, from: Buffer | undefined): Step {
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) {
    return { op: 'write', name, base64: bytes.toString('base64') };
  }
  if (from === undefined || name !== 'journal.jsonl') {
    return { op: 'write', name, text };
  }
  const before = from.toString('utf8').split('\n');
  const after = text.split('\n');
  const head = before.findIndex((line, index) => line !== after[index]);
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) {
    tail += 1;
  }
  return {
    op: 'lines',
    name,
    from: head,
    remove: before.length - head - tail,
    lines: after.slice(head, after.length - tail),
  };
}

/** What the TypeScript verifier says of a case that lies in a folder. */
export async function verdictOf(one: SuiteCase, scratch: string): Promise<SuiteCase['expect']> {
  const read = readArguments([...argumentsOf(one, materialize(one, scratch))]);
  if (typeof read === 'string') {
    throw new Error(read);
  }
  const report = await verifyBundle(read.options as VerifyOptions);
  const claims = report.claims.map(({ id, status, code }): ClaimVerdict => [id, status, code]);
  return { exit_code: report.exitCode, claims };
}

/** Whether a verdict is what the author of the case asked for. */
export function isWanted({ wanted }: ConformanceCase, verdict: SuiteCase['expect']): boolean {
  const claim = verdict.claims.find(([id]) => id === wanted.claim);
  const isClaim = wanted.claim === undefined || claim?.[2] === wanted.code;
  const isClean = wanted.exit !== 0 || verdict.claims.every(([, status]) => status !== 'FAIL');
  return verdict.exit_code === wanted.exit && isClaim && isClean;
}

export function readmeOf(one: ConformanceCase, verdict: SuiteCase['expect']): string {
  const focus =
    one.wanted.claim === undefined ? 'no claim fails' : `\`${one.wanted.claim}\` with \`${one.wanted.code}\``;
  return `# ${one.name}\n\n${one.why}\n\nExpected: exit ${verdict.exit_code}, ${focus}.\n\nWhat it does not prove: ${one.notProved}\n`;
}

/** case.json: what is passed, what is expected; one claim a line, so that a change is seen. */
export function caseJson(about: object, expect: SuiteCase['expect']): string {
  const claims = expect.claims.map((claim) => `      ${JSON.stringify(claim)}`).join(',\n');
  const head = canonical(about).slice(1, -1);
  return `{\n  ${head},\n  "expect": {\n    "exit_code": ${expect.exit_code},\n    "claims": [\n${claims}\n    ]\n  }\n}\n`;
}

export { SUITE_FOLDER };
