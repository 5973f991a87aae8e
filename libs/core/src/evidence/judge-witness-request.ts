// SPDX-License-Identifier: Apache-2.0
import { isConsistent } from '../merkle/verify-consistency.ts';
import { verifyEd25519 } from '../signing/ed25519.ts';
import { keyFor, type TrustRoot } from '../signing/trust-root.ts';
import type { TreeHead } from './checkpoint.ts';
import { keyHint, type Note, parseNote } from './note.ts';
import { parseWitnessRequest } from './witness-request.ts';

/** What a witness knows of one log: the head of the checkpoint that it cosigned last. */
export type WitnessedHead = Pick<TreeHead, 'size' | 'root'>;

export type WitnessAnswer =
  | { readonly kind: 'cosign'; readonly note: Note; readonly checkpoint: Uint8Array }
  /** A signed checkpoint that contradicts the one cosigned before: proof that the log has two histories. */
  | { readonly kind: 'fork'; readonly status: 409; readonly note: Note; readonly checkpoint: Uint8Array }
  | { readonly kind: 'refuse'; readonly status: 400 | 403 | 404 | 422; readonly why: string }
  | { readonly kind: 'other-size'; readonly status: 409; readonly size: number };

/** The note's log as this trust root knows it, or undefined: an origin is a tenant's below the log origin. */
export function isOriginOf(root: TrustRoot, origin: string): boolean {
  const tenant = origin.startsWith(`${root.logOrigin}/`) ? origin.slice(root.logOrigin.length + 1) : '';
  return /^[a-z0-9][a-z0-9-]{0,62}$/.test(tenant);
}

/** Reads a request as far as the log that it is about, so that its state can be looked up. Throws CLY_RECORD_SHAPE. */
export function readWitnessRequest(body: Uint8Array): { readonly origin: string } & ReadRequest {
  const request = parseWitnessRequest(body);
  const note = parseNote(request.checkpoint);
  return { origin: note.head.origin, request, note };
}

type ReadRequest = { readonly request: ReturnType<typeof parseWitnessRequest>; readonly note: Note };

/** What C2SP tlog-witness says a witness answers, in its order. Pure: the caller keeps what `cosign` leads to. */
export function judgeWitnessRequest(
  { request, note }: ReadRequest,
  known: { readonly root: TrustRoot; readonly last: WitnessedHead | undefined; readonly nowMs: number },
): WitnessAnswer {
  const { root, nowMs } = known;
  const { head } = note;
  if (!isOriginOf(root, head.origin))
    return { kind: 'refuse', status: 404, why: `no log ${head.origin} is known here` };
  if (!isSignedByLog(note, root, nowMs)) {
    return { kind: 'refuse', status: 403, why: 'no signature is of a key with role log that is valid now' };
  }
  const { oldSize, proof, checkpoint } = request;
  if (oldSize > head.size) return { kind: 'refuse', status: 400, why: 'the old size is above the checkpoint' };
  const last = known.last ?? { size: 0, root: '' };
  if (oldSize !== last.size) return { kind: 'other-size', status: 409, size: last.size };
  if (oldSize === head.size && oldSize > 0 && head.root !== last.root) {
    return { kind: 'fork', status: 409, note, checkpoint };
  }
  const growth = { oldSize, oldRoot: last.root, newSize: head.size, newRoot: head.root, proof };
  if (!isConsistent(growth))
    return { kind: 'refuse', status: 422, why: 'the proof does not lead from one to the other' };
  return { kind: 'cosign', note, checkpoint };
}

function isSignedByLog(note: Note, root: TrustRoot, nowMs: number): boolean {
  const message = Buffer.from(note.text, 'utf8');
  return note.lines.some((line) => {
    if (line.name !== note.head.origin) return false;
    return [...root.keys.values()].some((key) => {
      const isMeant = Buffer.compare(keyHint(line.name, 'ed25519', key.publicKey), line.hint) === 0;
      const isValid = isMeant && keyFor(root, { keyId: key.keyId, role: 'log', atMs: nowMs }) !== undefined;
      return isValid && verifyEd25519(key.keyObject, message, line.signature);
    });
  });
}
