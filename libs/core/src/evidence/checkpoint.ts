// SPDX-License-Identifier: Apache-2.0
import { hash } from 'node:crypto';
import { type Digest, digestBytes } from '../canonical/digest.ts';
import { shapeError } from '../change/shape.ts';
import type { Signer } from '../ports/signer.ts';

export type TreeHead = { readonly origin: string; readonly size: number; readonly root: Digest };

const ED25519_KEY_TYPE = Buffer.of(1);
const HEAD = /^(\S{1,512})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n\n— (\S+) [A-Za-z0-9+/=]+\n$/u;

/** The text that a checkpoint's signature covers (C2SP tlog-checkpoint, no extension lines). */
function checkpointText({ origin, size, root }: TreeHead): string {
  return `${origin}\n${size}\n${Buffer.from(digestBytes(root)).toString('base64')}\n`;
}

/** A C2SP signed note (docs/spec/bundle.md §5). Ed25519 is deterministic: the same head gives the same bytes. */
export async function signCheckpoint(head: TreeHead, signer: Signer): Promise<Uint8Array> {
  const text = checkpointText(head);
  const signature = await signer.sign(Buffer.from(text, 'utf8'));
  const line = Buffer.concat([noteKeyHint(head.origin, signer.publicKey), signature]).toString('base64');
  return Buffer.from(`${text}\n— ${head.origin} ${line}\n`, 'utf8');
}

/** The four bytes by which C2SP notes name a key. */
export function noteKeyHint(origin: string, publicKey: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(`${origin}\n`, 'utf8'), ED25519_KEY_TYPE, publicKey]);
  return hash('sha256', named, 'buffer').subarray(0, 4);
}

/** The head that a checkpoint of ours names. Its signature is not judged here. Throws CLY_RECORD_SHAPE. */
export function parseCheckpoint(bytes: Uint8Array): TreeHead {
  const match = HEAD.exec(Buffer.from(bytes).toString('utf8'));
  const [, origin, size, root, name] = match ?? [];
  if (origin === undefined || size === undefined || root === undefined || name !== origin) {
    throw shapeError('a checkpoint is not a note of one signature');
  }
  return { origin, size: Number(size), root: Buffer.from(root, 'base64').toString('hex') };
}
