// SPDX-License-Identifier: Apache-2.0
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where one run of a recipe looks; a damage changes a file there. */
export type Desk = { readonly bundle: string; readonly work: string; readonly trustRootFile: string };

export type Damage = { readonly what: string; readonly apply: (desk: Desk) => void };

/** Changes one character so that the text keeps its form: a digit to another, a letter to another. */
function turn(text: string, at: number): string {
  const turned =
    text[at] === 'A' || text[at] === '1' ? (text[at] === 'A' ? 'B' : '2') : /\d/.test(text[at] ?? '') ? '1' : 'A';
  return text.slice(0, at) + turned + text.slice(at + 1);
}

function edit(path: string, change: (text: string) => string): void {
  const before = readFileSync(path, 'latin1');
  const after = change(before);
  if (after === before) throw new Error(`nothing changed in ${path}`);
  writeFileSync(path, after, 'latin1');
}

const inside = (text: string, part: RegExp): number => {
  const found = part.exec(text);
  if (found === null) throw new Error(`no ${part} in it`);
  return found.index + Math.floor(found[0].length / 2);
};

const file = (what: string, pathOf: (desk: Desk) => string, part: RegExp): Damage => ({
  what,
  apply: (desk) => edit(pathOf(desk), (text) => turn(text, inside(text, part))),
});
const inBundle = (what: string, name: string, part: RegExp) => file(what, ({ bundle }) => join(bundle, name), part);
const inWork = (what: string, name: string, part: RegExp) => file(what, ({ work }) => join(work, name), part);

const BASE64 = /[A-Za-z0-9+/]{80,}/;
const FIRST_LINE = /"receipt_id":"[0-9a-f]+"/;

const line = inBundle('a line', 'journal.jsonl', FIRST_LINE);
const size = inBundle('the size in the checkpoint', 'checkpoint', /(?<=^[^\n]+\n)\d+/);
const root = inBundle('the root in the checkpoint', 'checkpoint', /(?<=^[^\n]+\n\d+\n)[A-Za-z0-9+/]+/);
const logSignature = inBundle('the signature of the log', 'checkpoint', BASE64);
const manifest = inBundle('the manifest', 'manifest.json', /"root":"[0-9a-f]+/);
const payload = inBundle('the payload of the envelope', 'manifest.dsse.json', BASE64);
const bundlerSignature = inBundle('the signature of the bundler', 'manifest.dsse.json', /(?<="sig":")[^"]+/);
const anotherKey = (role: string): Damage => ({
  what: `the ${role} key of the trust root`,
  apply: ({ trustRootFile }) =>
    edit(trustRootFile, (text) => {
      const document = JSON.parse(text) as { keys: { roles: string[]; public_key: string }[] };
      for (const key of document.keys) {
        if (key.roles.includes(role)) key.public_key = Buffer.alloc(32, 0x58).toString('base64');
      }
      return JSON.stringify(document);
    }),
});
const dropped: Damage = {
  what: 'a line that is gone',
  apply: ({ bundle }) => edit(join(bundle, 'journal.jsonl'), (text) => text.slice(text.indexOf('\n') + 1)),
};
const artifact: Damage = {
  what: 'an artifact',
  apply: ({ bundle }) => {
    const [name = ''] = readdirSync(join(bundle, 'artifacts'));
    edit(join(bundle, 'artifacts', name), (text) => `${text} `);
  },
};
const token: Damage = {
  what: 'the token',
  apply: ({ bundle }) => {
    const [name = ''] = readdirSync(join(bundle, 'times'));
    edit(join(bundle, 'times', name), (text) => {
      const at = text.length - 10;
      return text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);
    });
  },
};

const leaf = inWork('the leaf', 'receipt.tlog-proof.leaf', FIRST_LINE);
const path = inWork('a hash of the path', 'receipt.tlog-proof', /(?<=index \d+\n)\S+/);
const proofSize = inWork('the size in the proof', 'receipt.tlog-proof', /(?<=\n\n[^\n]+\n)\d+/);
const view = 'manifest.sigstore.json';
const viewSignature = inWork('the signature in the view', view, /(?<="sig":")[^"]+/);
const viewPayload = inWork('the payload in the view', view, BASE64);
const noWitness: Damage = {
  what: 'a proof without its witness',
  apply: ({ work }) =>
    edit(join(work, 'receipt.tlog-proof'), (text) => text.slice(0, text.trimEnd().lastIndexOf('\n') + 1)),
};

/** By the title of a recipe: what it must not let pass. A recipe without a row here fails its test. */
export const DAMAGES: Readonly<Record<string, readonly Damage[]>> = {
  'Digests: the envelope names the manifest, the manifest names the rest': [line, manifest, artifact, dropped],
  "Checkpoint: the log's signature over size and root": [size, root, logSignature, anotherKey('log')],
  "Envelope: the bundler's signature over the manifest's digest": [payload, bundlerSignature, anotherKey('bundler')],
  'Root: the lines lead to the checkpoint': [line, dropped, root, size],
  "Time, where `times/` has tokens: the checkpoint existed when somebody else's clock said so": [
    size,
    logSignature,
    token,
  ],
  'coreutils: the files are those that were sent': [line, manifest, artifact],
  'Go, sumdb/note and tlog: one receipt stands in the log': [leaf, path, proofSize, anotherKey('log')],
  'Sigstore’s JavaScript library: the envelope': [viewSignature, viewPayload, manifest, anotherKey('bundler')],
  'cosign: the envelope': [viewSignature, viewPayload, manifest, anotherKey('bundler')],
  'torchwood: one receipt, with the witnesses that the trust root asks for': [
    leaf,
    path,
    noWitness,
    anotherKey('witness'),
  ],
  'Tessera’s fsck: the whole log, from tiles': [
    inWork('a hash tile', 'tiles/tile/0/000', /[A-Za-z]/),
    inWork('an entry', 'tiles/tile/entries/000', FIRST_LINE),
    inWork('the root of the tiles', 'tiles/checkpoint', /(?<=^[^\n]+\n\d+\n)[A-Za-z0-9+/]+/),
    anotherKey('log'),
  ],
};
