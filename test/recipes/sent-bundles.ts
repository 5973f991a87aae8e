// SPDX-License-Identifier: Apache-2.0
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { memorySigner } from '@clyra/adapter-signing/memory-signer';
import { buildTrustRoot, type TrustRootKey } from '@clyra/adapter-signing/trust-root-file';
import { requestTimeStamp } from '@clyra/adapter-signing/tsa-client';
import { digestOf } from '@clyra/core/canonical/digest';
import { cosign } from '@clyra/core/evidence/cosignature';
import { parseNote } from '@clyra/core/evidence/note';
import { TsaServer } from '@clyra/stack/tsa/tsa-server';
import { SCRIPT_KEYS, SCRIPT_TRUST } from '@clyra/testing/fold-script';
import { grantedToken, History } from '@clyra/testing/history';
import { realClock } from '@clyra/testing/real-clock';
import { sealHistory } from '@clyra/testing/sealed-bundles';

const FAR_MS = 4_102_444_800_000;
const TSA_DEADLINE_MS = 5_000;
const REQUESTS = 300;

export type SentBundles = {
  /** Folders of the whole log, in order; the last one has a time-stamp and a cosignature. */
  readonly paths: readonly string[];
  readonly trustRootFile: string;
  /** A receipt of the last bundle. */
  readonly receiptId: string;
};

/** A log of two bundles, as an auditor gets them: with a token of a TSA and the cosignature of a witness, both outside. */
export async function sendBundles(folder: string): Promise<SentBundles> {
  const { history, receiptId } = await twoWindows();
  const [first, last] = (await sealHistory(history)).map(({ files }) => new Map(files));
  if (first === undefined || last === undefined) throw new Error('two windows make two bundles');
  const trustRootFile = join(folder, 'trust-root.json');
  const witness = memorySigner();
  const tsa = await TsaServer.start({ folder: join(folder, 'tsa'), clock: realClock, port: 0 });
  try {
    const { bytes, trustRoot } = await readersTrustRoot(witness.publicKey, tsa.files.rootCertificate);
    await writeFile(trustRootFile, bytes);
    const checkpoint = last.get('checkpoint') as Uint8Array;
    const random = { bytes: (size: number) => randomBytes(size) };
    const asked = { url: tsa.url, deadlineMs: TSA_DEADLINE_MS, random };
    const { token } = await requestTimeStamp(checkpoint, asked, trustRoot.timeAuthorities);
    last.set(`times/${digestOf(token)}.tsr`, token);
    const by = { name: 'witness.example/w1', signer: witness, seconds: Math.floor(Date.now() / 1_000) };
    const line = Buffer.from(await cosign(parseNote(checkpoint).text, by), 'utf8');
    last.set(`cosignatures/${digestOf(line)}`, line);
  } finally {
    await tsa.stop();
  }
  const paths = [join(folder, 'bundle-0'), join(folder, 'bundle-1')];
  await writeFiles(paths[0] as string, first);
  await writeFiles(paths[1] as string, last);
  return { paths, trustRootFile, receiptId };
}

/** Enough lines for a full tile; the receipt is of the second window. */
async function twoWindows(): Promise<{ history: History; receiptId: string }> {
  const history = await new History().open();
  for (let count = 0; count < REQUESTS; count += 1) await history.request();
  await history.closeWindow();
  const request = await history.request();
  await history.outcome(request.folded.eventId);
  await history.transaction({ tokens: [grantedToken(request) ?? ''] });
  await history.closeWindow();
  return { history, receiptId: String(request.receipt['receipt_id']) };
}

/** A later version of the trust root that the bundles name: it knows a TSA and a witness of another operator. */
function readersTrustRoot(witness: Uint8Array, certificate: Uint8Array): ReturnType<typeof buildTrustRoot> {
  const window = { validFromMs: 0, validToMs: FAR_MS };
  const root = memorySigner();
  const keys: TrustRootKey[] = Object.values(SCRIPT_KEYS).map((key) => ({
    ...window,
    publicKey: key.publicKey,
    roles: key.roles,
    subject: key.subject,
    operator: 'test',
  }));
  const outside = { ...window, subject: 'outside', operator: 'elsewhere' };
  return buildTrustRoot(
    {
      version: 2,
      history: [SCRIPT_TRUST.root.digest],
      expiresAtMs: FAR_MS,
      logOrigin: SCRIPT_TRUST.root.logOrigin,
      singleOperator: false,
      thresholds: { root: 1, tsa: 1, witness: 1 },
      keys: [
        ...keys,
        { ...outside, publicKey: root.publicKey, roles: ['root'] },
        { ...outside, publicKey: witness, roles: ['witness'], name: 'witness.example/w1' },
      ],
      timeAuthorities: [{ ...window, name: 'tsa', operator: 'elsewhere', certificate }],
    },
    [root],
  );
}

async function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [name, bytes] of files) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), bytes);
  }
}
